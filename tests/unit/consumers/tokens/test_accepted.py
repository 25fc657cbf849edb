"""Tokens that must be accepted: what the samples, the RFCs and other issuers write, up to every limit."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import pytest

from consumers.grant import ARCHIVE_ROLE
from consumers.tokens.partner import TrustLevel
from consumers.tokens.verifier import AcceptedToken
from schemas.principals import EXCHANGE, LYNC, Audience, Principal
from schemas.support import Deployment, Installation, Product, Version
from tests.support.tokens import (
    ABSENT,
    ALICE,
    FABRIKAM_ID,
    HOST,
    LYNC_ID,
    NOW,
    REALM,
    ROLES,
    SECONDS,
    SHAREPOINT_ID,
    SID,
    World,
    actor,
    app,
    app_claims,
    app_header,
    certificate,
    configured,
    lync_world,
    raw,
    sharepoint_app,
    sharepoint_user,
    signed,
    thumbprint,
    user,
    user_claims,
    world,
)

DAY_S: Final = 24 * 3600
ONLINE: Final = Installation(Product.EXCHANGE, Deployment.ONLINE, Version.ONLINE)
LOUD: Final = {"aud": str(Audience(EXCHANGE, HOST.upper(), REALM))}
OTHER_HOST: Final = {"aud": str(Audience(EXCHANGE, "edge.contoso.example", REALM))}


class Welcome(NamedTuple):
    """A token that is accepted, and for whom: None for the application itself."""

    make: Callable[[], str]
    user: str | None = None
    world: Callable[[], World] = world


def _app(**claims: Any) -> Welcome:
    return Welcome(lambda: app(claims))


def _life(begins_s: int, ends_s: int) -> Welcome:
    """A life in seconds from now."""
    return _app(nbf=str(SECONDS + begins_s), exp=str(SECONDS + ends_s))


def _user(name: str = ALICE, /, **claims: Any) -> Welcome:
    return Welcome(lambda: user(claims), name)


def _header(**header: Any) -> Welcome:
    return Welcome(lambda: app(header=header))


def _by_certificate(make: Callable[[], bytes]) -> Welcome:
    """A token of Lync by this certificate, which is published."""
    return Welcome(
        lambda: signed(app_header({"x5t": thumbprint(make())}), app_claims()), world=lambda: lync_world(make())
    )


CASES: Final[dict[str, Welcome]] = {
    "app: as the samples": _app(),
    "app: times as numbers": _app(nbf=SECONDS, exp=SECONDS + 3600),
    "app: one time a number, one text": _app(nbf=SECONDS),
    "app: delegation refused in so many letters": _app(trustedfordelegation="false"),
    "app: unknown claims": _app(iat=SECONDS, jti="id", ver="1.0", nested={"a": [1, {"b": None}]}),
    "app: thirty-two claims": Welcome(lambda: app({f"x{number}": number for number in range(27)})),
    "app: claims in another order": Welcome(lambda: signed(app_header(), dict(reversed(app_claims().items())))),
    "app: white space in the claims": Welcome(
        lambda: signed(app_header(), json.dumps(app_claims(), indent="\t").encode())
    ),
    "app: a claim of another script": _app(name="Ünïcödé Алиса 🦊"),
    "app: nearly too large": _app(x="a" * 11_000),
    "app: no typ": _header(typ=ABSENT),
    "app: header in another order": Welcome(lambda: signed(dict(reversed(app_header().items())), app_claims())),
    "app: kid, the same as x5t": Welcome(lambda: app(header={"kid": thumbprint(certificate("lync"))})),
    "app: the previous key": Welcome(lambda: app(signer="previous")),
    "app: the previous key, of a partner with both": Welcome(
        lambda: app(signer="previous"), world=lambda: lync_world(certificate("lync"), certificate("previous"))
    ),
    "app: a key of 4096 bits": Welcome(
        lambda: signed(app_header({"x5t": thumbprint(certificate("large", 4096))}), app_claims(), "large", 4096),
        world=lambda: lync_world(certificate("large", 4096)),
    ),
    "app: a certificate of this second": _by_certificate(lambda: certificate("lync", begins_h=0)),
    "app: a certificate of five years": _by_certificate(lambda: certificate("lync", ends_h=5 * 365 * 24)),
    "app: host in capitals": _app(**LOUD),
    "app: host in mixed case": _app(aud=str(Audience(EXCHANGE, "Mail.Contoso.example", REALM))),
    "app: another host of ours": _app(**OTHER_HOST),
    "app: a life of one second": _life(0, 1),
    "app: a life of a day": _life(0, DAY_S),
    "app: a life of twelve hours, as the samples": _life(0, 43_200),
    "app: begins within the skew": _life(60, 3600),
    "app: ended within the skew": _life(-3600, -59),
    "app: began yesterday": _life(1 - DAY_S, 1),
    "app: level Application": Welcome(app, world=lambda: lync_world(trust=TrustLevel.APPLICATION)),
    "app: another partner": Welcome(lambda: app({"iss": FABRIKAM_ID, "nameid": FABRIKAM_ID}, signer="fabrikam")),
    "app: SharePoint": Welcome(sharepoint_app),
    "app: an online pair": Welcome(
        app,
        world=lambda: replace(lync_world(deployment=Deployment.ONLINE), config=configured(installation=ONLINE).config),
    ),
    "app: an online Exchange and the switch": Welcome(
        app, world=lambda: configured(installation=ONLINE, cross_premises=True)
    ),
    "user: as the samples": _user(),
    "user: no typ in the outer token": Welcome(lambda: user(header={"typ": ABSENT}), ALICE),
    "user: times as numbers": _user(nbf=SECONDS, exp=SECONDS + 3600),
    "user: name in capitals": _user(nameid=ALICE.upper()),
    "user: another directory": _user(nii="urn:federation:microsoftonline"),
    "user: by smtp before upn and sip": _user(smtp=ALICE, upn="b@contoso.example", sip="sip:c@contoso.example"),
    "user: by upn before sip": _user(upn=ALICE, sip="sip:c@contoso.example", nameid="d@contoso.example"),
    "user: by sip": _user(sip=f"sip:{ALICE}", nameid="d@contoso.example"),
    "user: by sip without its scheme": _user(sip=ALICE, nameid="d@contoso.example"),
    "user: unknown claims": _user(amr=["x"], ver=1),
    "user: host in capitals in both": Welcome(lambda: user(LOUD, inner=actor(LOUD)), ALICE),
    "user: another host of ours in both": Welcome(lambda: user(OTHER_HOST, inner=actor(OTHER_HOST)), ALICE),
    "user: the previous key": Welcome(lambda: user(inner=actor(signer="previous")), ALICE),
    "user: outer claims in another order": Welcome(
        lambda: raw({"alg": "none"}, dict(reversed(user_claims().items()))), ALICE
    ),
    "user: every sign that an address may have": _user(
        "o'hara+x/y=z_1.2~3@contoso.example", nameid="o'hara+x/y=z_1.2~3@contoso.example"
    ),
    "user: of SharePoint, by SID": Welcome(sharepoint_user, SID),
    "user: of SharePoint, by smtp": Welcome(lambda: sharepoint_user({"smtp": ALICE}), ALICE),
}


@pytest.mark.parametrize("name", CASES)
def test_accepted(name: str) -> None:
    case = CASES[name]
    opened = case.world().judge(case.make())
    assert opened.user == case.user
    assert opened.mailboxes == (None if case.user is None else frozenset({f"sip:{case.user}"}))


def test_an_app_only_token_opens_its_partners_roles() -> None:
    """What is opened is what the partner was given, and ends with the token, by the skew later."""
    text = app()
    ends = NOW + timedelta(seconds=3660)
    own_id, x5t = world().judge(text).token_id, thumbprint(certificate("lync"))
    expected = AcceptedToken(Principal(LYNC, REALM), ROLES, own_id, x5t, ends, None, None, Deployment.ON_PREMISES)
    assert world().judge(text) == expected
    assert expected.token_id not in text


def test_a_user_token_opens_the_users_roles_until_the_earlier_end() -> None:
    """The application's roles are not the user's, and outer and actor token both must be good."""
    opened = world().judge(user({"exp": SECONDS + 60}, inner=actor({"exp": SECONDS + 600})))
    assert (opened.roles, opened.expires_at) == (frozenset({ARCHIVE_ROLE}), NOW + timedelta(seconds=120))
    opened = world().judge(user({"exp": SECONDS + 600}, inner=actor({"exp": SECONDS + 60})))
    assert opened.expires_at == datetime.fromtimestamp(SECONDS + 120, UTC)


def test_what_is_opened_ends_with_the_key() -> None:
    """No grant outlives the certificate that its token was signed by, though the token itself would."""
    der = certificate("lync", ends_h=1)
    text = signed(app_header({"x5t": thumbprint(der)}), app_claims({"exp": SECONDS + DAY_S}))
    assert lync_world(der).judge(text).expires_at == NOW + timedelta(hours=1)


def test_somebody_unknown_has_no_role() -> None:
    """A user token for somebody unknown opens nothing: there is no role to write with."""
    assert world().judge(user({"nameid": "mallory@fabrikam.example"})).roles == frozenset()


def test_two_partners_are_told_apart() -> None:
    """The token is its issuer's, whatever the order in which partners are known."""
    mirrored = replace(world(), partners=world().partners[::-1])
    for text, name in ((app(), LYNC_ID), (sharepoint_app(), SHAREPOINT_ID)):
        assert str(world().judge(text).principal) == str(mirrored.judge(text).principal) == name
