"""The rules are checked in the order that they are listed in: of two that a token breaks, the first refuses it."""

from dataclasses import replace
from itertools import combinations
from typing import Any, Final, NamedTuple

import pytest

from consumers.tokens.partner import TrustLevel
from consumers.tokens.rules import Rule, TokenRefused
from schemas.principals import SHAREPOINT, Principal
from schemas.support import Deployment
from tests.support.tokens import (
    ABSENT,
    NONE,
    REALM,
    SECONDS,
    SHAREPOINT_ID,
    Members,
    World,
    app_claims,
    app_header,
    certificate,
    partner,
    raw,
    signed,
    world,
)


class Fault(NamedTuple):
    """What breaks one rule: in the token's header, its claims, or what is known of the partner."""

    header: Members = NONE
    claims: Members = NONE
    partner: Members = NONE


FAULTS: Final[dict[Rule, Fault]] = {
    Rule.HEADER_MEMBER: Fault(header={"jku": "https://attacker.example"}),
    Rule.BAD_TYPE: Fault(header={"typ": "JWE"}),
    Rule.ALGORITHM: Fault(header={"alg": "RS384"}),
    Rule.NESTED: Fault(claims={"actortoken": "x"}),
    Rule.MISSING_CLAIM: Fault(claims={"aud": ABSENT}),
    Rule.BAD_CLAIM: Fault(claims={"nameid": 1}),
    Rule.BAD_TIME: Fault(claims={"nbf": 1.5}),
    Rule.UNKNOWN_ISSUER: Fault(partner={"principal": Principal(SHAREPOINT, "fabrikam.example")}),
    Rule.KEY_MISMATCH: Fault(header={"kid": "another"}),
    Rule.UNKNOWN_KEY: Fault(partner={"keys": ()}),
    Rule.BAD_SIGNATURE: Fault(),
    Rule.PARTNER_DISABLED: Fault(partner={"enabled": False}),
    Rule.TOPOLOGY: Fault(partner={"deployment": Deployment.ONLINE}),
    Rule.AUDIENCE: Fault(claims={"aud": "kafka"}),
    Rule.ACTOR: Fault(claims={"nameid": "x@y"}),
    Rule.LIFE_TOO_LONG: Fault(claims={"exp": str(SECONDS + 10**6)}),
    Rule.EXPIRED: Fault(claims={"nbf": "0", "exp": "1"}),
    Rule.DELEGATION: Fault(claims={"trustedfordelegation": "true"}),
    Rule.TRUST_LEVEL: Fault(partner={"trust": TrustLevel.USER}),
    Rule.LETTER_CASE: Fault(claims={"x": "X"}),
}
"""The rules that a token can break along with any other, in a token that SharePoint signs for itself."""


def _shown(*faults: Fault, unsigned: bool) -> tuple[str, World]:
    """A token with all of the faults, those of the first last, so that they stay; and the world it is shown to."""
    header, claims, changes = dict[str, Any](), dict[str, Any](), dict[str, Any]()
    for fault in reversed(faults):
        header.update(fault.header)
        claims.update(fault.claims)
        changes.update(fault.partner)
    parts = app_header(header, "sharepoint"), app_claims(claims, SHAREPOINT_ID)
    known = partner("sp", Principal(SHAREPOINT, REALM), certificate("sharepoint"))
    text = raw(*parts) if unsigned else signed(*parts, "sharepoint")
    return text, replace(world(), partners=(replace(known, **changes),))


def test_the_faults_are_listed_in_the_rules_order() -> None:
    """The order of the table is the order of `Rule`, which the pairs below are taken by."""
    assert list(FAULTS) == [rule for rule in Rule if rule in FAULTS]


@pytest.mark.parametrize(("first", "second"), [*combinations(FAULTS, 2)])
def test_the_first_of_two_broken_rules_is_named(first: Rule, second: Rule) -> None:
    unsigned = Rule.BAD_SIGNATURE in {first, second}
    text, shown_to = _shown(FAULTS[first], FAULTS[second], unsigned=unsigned)
    with pytest.raises(TokenRefused) as caught:
        shown_to.judge(text)
    assert caught.value.rule is first
