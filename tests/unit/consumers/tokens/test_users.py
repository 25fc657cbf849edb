"""Who may act for whom: actors that stand alone or disagree, trust levels, topology, and users that are none."""

from dataclasses import replace
from typing import Any, Final

import pytest

from consumers.tokens.partner import TrustLevel
from consumers.tokens.rules import Rule
from schemas.principals import EXCHANGE, SHAREPOINT, Audience
from schemas.support import Deployment, Installation, Product, Version
from tests.support.hostile import Hostile, assert_refused
from tests.support.tokens import (
    ABSENT,
    ALICE,
    AUDIENCE,
    DIRECTORY,
    FABRIKAM_ID,
    HOST,
    LYNC_ID,
    REALM,
    SECONDS,
    SHAREPOINT_ID,
    SID,
    World,
    actor,
    app,
    configured,
    lync_world,
    sharepoint_app,
    sharepoint_user,
    user,
)

ONLINE: Final = Installation(Product.EXCHANGE, Deployment.ONLINE, Version.ONLINE)
EXCHANGE_2010: Final = Installation(Product.EXCHANGE, Deployment.ON_PREMISES, Version.V2010)


def _outer(rule: Rule, **claims: Any) -> Hostile:
    """A user token whose outer part has these claims around a good actor."""
    return Hostile(rule, lambda: user(claims))


def _trusted(trust: TrustLevel) -> World:
    return lync_world(trust=trust)


def _mixed() -> World:
    """An online partner in front of an installation on premises, with the switch off."""
    return lync_world(deployment=Deployment.ONLINE)


def _disabled() -> World:
    return lync_world(enabled=False)


def _named(name: Any) -> Hostile:
    """A user token of Lync for a user of this name."""
    return _outer(Rule.USER, nameid=name)


def _sharepoint_named(name: str) -> Hostile:
    return Hostile(Rule.USER, lambda: sharepoint_user({"nameid": name}))


def _capitals(**claims: Any) -> Hostile:
    """A user token of SharePoint with something in capitals in its outer part."""
    return Hostile(Rule.LETTER_CASE, lambda: sharepoint_user(claims))


DISAGREEING: Final[dict[str, Hostile]] = {
    "outer: of another partner than the actor": _outer(Rule.ACTOR, iss=FABRIKAM_ID),
    "outer: of another application than the actor": _outer(Rule.ACTOR, iss=SHAREPOINT_ID),
    "outer: iss in other case": _outer(Rule.ACTOR, iss=LYNC_ID.replace("contoso", "Contoso")),
    "outer: iss is the user": _outer(Rule.ACTOR, iss=ALICE),
    "outer: another host of ours than the actor": _outer(
        Rule.ACTOR, aud=str(Audience(EXCHANGE, "edge.contoso.example", REALM))
    ),
    "outer: around another partner's actor": Hostile(
        Rule.ACTOR, lambda: user(inner=actor({"iss": FABRIKAM_ID, "nameid": FABRIKAM_ID}, signer="fabrikam"))
    ),
    "outer: around SharePoint's actor": Hostile(
        Rule.ACTOR, lambda: user(inner=sharepoint_app({"trustedfordelegation": "true"}))
    ),
    "outer: for Kafka": _outer(Rule.AUDIENCE, aud="kafka"),
    "outer: for SharePoint": _outer(Rule.AUDIENCE, aud=str(Audience(SHAREPOINT, HOST, REALM))),
    "outer: for another host": _outer(Rule.AUDIENCE, aud=str(Audience(EXCHANGE, "mail.fabrikam.example", REALM))),
    "outer: for another realm": _outer(Rule.AUDIENCE, aud=str(Audience(EXCHANGE, HOST, "fabrikam.example"))),
    "outer: application id in capitals": _outer(Rule.AUDIENCE, aud=str(Audience(EXCHANGE.upper(), HOST, REALM))),
    "outer: expired": _outer(Rule.EXPIRED, nbf=str(SECONDS - 3600), exp=str(SECONDS - 60)),
    "outer: not yet valid": _outer(Rule.NOT_YET_VALID, nbf=str(SECONDS + 61)),
    "outer: two days": _outer(Rule.LIFE_TOO_LONG, exp=str(SECONDS + 2 * 24 * 3600)),
    "outer: ends before it begins": _outer(Rule.BAD_TIME, exp=str(SECONDS - 1)),
    "outer: time is a float": _outer(Rule.BAD_TIME, exp=SECONDS + 0.5),
    "outer: time in full-width digits": _outer(Rule.BAD_TIME, exp="１７６７６０７２００"),
    "outer: no nii": _outer(Rule.MISSING_CLAIM, nii=ABSENT),
    "outer: no nameid": _outer(Rule.MISSING_CLAIM, nameid=ABSENT),
    "outer: no iss": _outer(Rule.MISSING_CLAIM, iss=ABSENT),
    "outer: no aud": _outer(Rule.MISSING_CLAIM, aud=ABSENT),
    "outer: no exp": _outer(Rule.MISSING_CLAIM, exp=ABSENT),
    "outer: aud is a list": _outer(Rule.BAD_CLAIM, aud=[AUDIENCE]),
    "outer: iss with a Cyrillic letter": _outer(Rule.BAD_CLAIM, iss=LYNC_ID.replace("o", "о")),
    "outer: the actor is an object": _outer(Rule.BAD_CLAIM, actortoken={"token": "x"}),
    "outer: the actor is a list": Hostile(Rule.BAD_CLAIM, lambda: user({"actortoken": [actor()]})),
    "outer: the actor is true": _outer(Rule.BAD_CLAIM, actortoken=True),
    "outer: the actor is zero": _outer(Rule.BAD_CLAIM, actortoken=0),
    "outer: forty claims": Hostile(Rule.BAD_CLAIM, lambda: user({f"x{number}": number for number in range(40)})),
}
TRUST: Final[dict[str, Hostile]] = {
    "delegation: an actor token alone": Hostile(Rule.DELEGATION, actor),
    "delegation: SharePoint's actor token alone": Hostile(
        Rule.DELEGATION, lambda: sharepoint_app({"trustedfordelegation": "true"})
    ),
    "delegation: an app-only token as actor": Hostile(Rule.DELEGATION, lambda: user(inner=app())),
    "delegation: refused in so many letters": Hostile(
        Rule.DELEGATION, lambda: user(inner=actor({"trustedfordelegation": "false"}))
    ),
    "delegation: claimed by the outer token only": Hostile(
        Rule.DELEGATION, lambda: user({"trustedfordelegation": "true"}, inner=app())
    ),
    "delegation: claimed in capitals": Hostile(
        Rule.DELEGATION, lambda: user(inner=app({"TrustedForDelegation": "true"}))
    ),
    "trust: user token at level Application": Hostile(Rule.TRUST_LEVEL, user, lambda: _trusted(TrustLevel.APPLICATION)),
    "trust: user token at level User": Hostile(Rule.TRUST_LEVEL, user, lambda: _trusted(TrustLevel.USER)),
    "trust: app-only token at level User": Hostile(Rule.TRUST_LEVEL, app, lambda: _trusted(TrustLevel.USER)),
    "trust: actor token alone at level User": Hostile(Rule.DELEGATION, actor, lambda: _trusted(TrustLevel.USER)),
    "disabled: app-only token": Hostile(Rule.PARTNER_DISABLED, app, _disabled),
    "disabled: user token": Hostile(Rule.PARTNER_DISABLED, user, _disabled),
    "disabled: actor token alone": Hostile(Rule.PARTNER_DISABLED, actor, _disabled),
    "disabled: is told to nobody who cannot sign": Hostile(
        Rule.BAD_SIGNATURE, lambda: app().rpartition(".")[0] + ".", _disabled
    ),
    "disabled: is told before the expiry": Hostile(
        Rule.PARTNER_DISABLED, lambda: app({"nbf": "0", "exp": "9"}), _disabled
    ),
    "topology: online partner, we on premises": Hostile(Rule.TOPOLOGY, app, _mixed),
    "topology: online partner's user token": Hostile(Rule.TOPOLOGY, user, _mixed),
    "topology: partner on premises, we online": Hostile(Rule.TOPOLOGY, app, lambda: configured(installation=ONLINE)),
    "topology: SharePoint on premises, we online": Hostile(
        Rule.TOPOLOGY, sharepoint_app, lambda: configured(installation=ONLINE)
    ),
    "topology: an Exchange of 2010 does not archive": Hostile(
        Rule.TOPOLOGY, app, lambda: configured(installation=EXCHANGE_2010)
    ),
    "topology: nor does one on premises for an online Lync, with the switch": Hostile(
        Rule.TOPOLOGY, app, lambda: replace(_mixed(), config=configured(cross_premises=True).config)
    ),
}
PEOPLE: Final[dict[str, Hostile]] = {
    "user: no address": _named("alice"),
    "user: a SID": _named(SID),
    "user: a domain and a name": _named("CONTOSO\\alice"),
    "user: two addresses": _named(f"{ALICE},bob@contoso.example"),
    "user: an address with a name": _named(f"Alice<{ALICE}>"),
    "user: two @": _named("alice@contoso.example@fabrikam.example"),
    "user: no domain": _named("alice@"),
    "user: no name": _named("@contoso.example"),
    "user: a sip address": _named(f"sip:{ALICE}"),
    "user: a dot behind": _named(f"{ALICE}."),
    "user: a quotation": _named('"alice"@contoso.example'),
    "user: an operator of the database": _outer(Rule.BAD_CLAIM, nameid={"$ne": ""}),
    "user: a star": _named("*"),
    "user: longer than any address": _named(f"{'a' * 300}@contoso.example"),
    "user: a path": _named("../../bob"),
    "user: a Cyrillic letter": _outer(Rule.BAD_CLAIM, nameid=ALICE.replace("a", "а")),
    "user: a full-width @": _outer(Rule.BAD_CLAIM, nameid=ALICE.replace("@", "＠")),
    "user: a dotless i": _outer(Rule.BAD_CLAIM, nameid=ALICE.replace("i", "ı")),
    "user: a newline behind": _outer(Rule.BAD_CLAIM, nameid=f"{ALICE}\n"),
    "user: null": _outer(Rule.BAD_CLAIM, nameid=None),
    "user: an smtp claim that is no address": _outer(Rule.USER, smtp="alice"),
    "user: a sip claim that is no address": _outer(Rule.USER, sip="sip:alice"),
    "user: a sip claim with two schemes": _outer(Rule.USER, sip=f"sip:sip:{ALICE}"),
    "user: a upn claim that is no address, behind a good smtp": _outer(Rule.USER, smtp=ALICE, upn="bob"),
    "user: an smtp claim that is a list": _outer(Rule.BAD_CLAIM, smtp=[ALICE]),
    "user: an smtp claim with a Cyrillic letter": _outer(Rule.BAD_CLAIM, smtp=ALICE.replace("c", "с")),
    "sharepoint: a user by address": _sharepoint_named(ALICE),
    "sharepoint: a SID cut short": _sharepoint_named("s-1-"),
    "sharepoint: a SID with a letter": _sharepoint_named("s-1-5-21-x"),
    "sharepoint: a SID of another revision": _sharepoint_named("s-2-5-21-1"),
    "sharepoint: a SID with a long number": _sharepoint_named("s-1-5-21-12345678901"),
    "sharepoint: a claims-encoded SID": _sharepoint_named(f"0).w|{SID}"),
    "sharepoint: names by another directory": Hostile(
        Rule.USER, lambda: sharepoint_user({"nii": "urn:federation:microsoftonline"})
    ),
    "sharepoint: a directory that begins like ours": Hostile(
        Rule.USER, lambda: sharepoint_user({"nii": f"{DIRECTORY}x"})
    ),
    "case: SID in capitals": _capitals(nameid=SID.upper()),
    "case: directory in capitals": _capitals(nii=DIRECTORY.upper()),
    "case: smtp in capitals": _capitals(smtp="Alice@contoso.example"),
    "case: an unknown claim in capitals": _capitals(x="X"),
    "case: host in capitals": Hostile(
        Rule.LETTER_CASE, lambda: sharepoint_app({"aud": str(Audience(EXCHANGE, HOST.upper(), REALM))})
    ),
    "case: an unknown claim of the app-only token": Hostile(Rule.LETTER_CASE, lambda: sharepoint_app({"x": "X"})),
    "case: an unknown claim of the actor": Hostile(Rule.LETTER_CASE, lambda: sharepoint_user(inner={"x": "X"})),
}
CASES: Final = {**DISAGREEING, **TRUST, **PEOPLE}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str) -> None:
    assert_refused(CASES[name])
