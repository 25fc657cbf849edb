"""Which grants a partner, as it is known now, still stands behind."""

from dataclasses import replace
from typing import Final

import pytest

from consumers.grant import Grant, GrantRefused
from consumers.tokens.partner import PartnerApplication, PartnerKey, TrustLevel
from consumers.tokens.trust import check_trust
from tests.support.trust import GRANT, KEY, PARTNER

USER_GRANT: Final = replace(GRANT, user="alice@contoso.example")
NEXT_KEY: Final = PartnerKey("y" * 27, b"another certificate")

STANDING: Final[dict[str, tuple[Grant, PartnerApplication]]] = {
    "as it was": (GRANT, PARTNER),
    "with another key in front": (GRANT, replace(PARTNER, keys=(NEXT_KEY, KEY))),
    "with fewer other roles": (GRANT, replace(PARTNER, roles=frozenset({"ArchiveApplication"}))),
    "trusted for itself": (GRANT, replace(PARTNER, trust=TrustLevel.APPLICATION)),
    "for a user": (USER_GRANT, PARTNER),
    "for a user, whose roles are not the application's": (USER_GRANT, replace(PARTNER, roles=frozenset())),
}
OVER: Final[dict[str, tuple[Grant, PartnerApplication | None, str]]] = {
    "gone": (GRANT, None, "no partner application"),
    "disabled": (GRANT, replace(PARTNER, enabled=False), "is disabled"),
    "disabled, for a user": (USER_GRANT, replace(PARTNER, enabled=False), "is disabled"),
    "key retired": (GRANT, replace(PARTNER, keys=(NEXT_KEY,)), "no longer signs"),
    "key retired, for a user": (USER_GRANT, replace(PARTNER, keys=(NEXT_KEY,)), "no longer signs"),
    "role revoked": (GRANT, replace(PARTNER, roles=frozenset({"UserApplication"})), "no longer has the role"),
    "level User": (GRANT, replace(PARTNER, trust=TrustLevel.USER), "no longer trusted"),
    "level Application, for a user": (USER_GRANT, replace(PARTNER, trust=TrustLevel.APPLICATION), "no longer trusted"),
    "level User, for a user": (USER_GRANT, replace(PARTNER, trust=TrustLevel.USER), "no longer trusted"),
}


@pytest.mark.parametrize("name", STANDING)
def test_stands(name: str) -> None:
    check_trust(*STANDING[name])


@pytest.mark.parametrize("name", OVER)
def test_is_over(name: str) -> None:
    grant, partner, reason = OVER[name]
    with pytest.raises(GrantRefused, match=reason):
        check_trust(grant, partner)
