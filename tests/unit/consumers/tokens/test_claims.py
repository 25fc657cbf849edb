"""Claims that are missing, of another type, for somebody else, or of another time; all signed by a trusted key."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from consumers.tokens.rules import Rule
from schemas.principals import EXCHANGE, LYNC, SHAREPOINT, Audience
from tests.support.hostile import Hostile, assert_refused
from tests.support.tokens import (
    ABSENT,
    AUDIENCE,
    FABRIKAM_ID,
    HOST,
    LYNC_ID,
    NOW,
    REALM,
    SECONDS,
    SHAREPOINT_ID,
    actor,
    app,
    configured,
    user,
    world,
)

DAY_S: Final = 24 * 3600


def _claim(rule: Rule, **claims: Any) -> Hostile:
    """An app-only token with these claims."""
    return Hostile(rule, lambda: app(claims))


def _actor(rule: Rule, **claims: Any) -> Hostile:
    """A user token whose actor has these claims, and whose outer token has not."""
    return Hostile(rule, lambda: user(inner=actor(claims)))


def _life(rule: Rule, begins_s: int, ends_s: int) -> Hostile:
    """An app-only token of this life, in seconds from now."""
    return _claim(rule, nbf=str(SECONDS + begins_s), exp=str(SECONDS + ends_s))


def _audience(text: Any) -> Hostile:
    return _claim(Rule.AUDIENCE, aud=text)


def _odd_time(value: Any, name: str = "exp") -> Hostile:
    return _claim(Rule.BAD_TIME, **{name: value})


PRESENCE: Final[dict[str, Hostile]] = {
    "missing: aud": _claim(Rule.MISSING_CLAIM, aud=ABSENT),
    "missing: iss": _claim(Rule.MISSING_CLAIM, iss=ABSENT),
    "missing: nameid": _claim(Rule.MISSING_CLAIM, nameid=ABSENT),
    "missing: nbf": _claim(Rule.MISSING_CLAIM, nbf=ABSENT),
    "missing: exp": _claim(Rule.MISSING_CLAIM, exp=ABSENT),
    "missing: nbf, with iat in its place": _claim(Rule.MISSING_CLAIM, nbf=ABSENT, iat=str(SECONDS)),
    "missing: nameid, with sub in its place": _claim(Rule.MISSING_CLAIM, nameid=ABSENT, sub=LYNC_ID),
    "missing: aud, in capitals": _claim(Rule.MISSING_CLAIM, aud=ABSENT, AUD=AUDIENCE),
    "missing: aud, with a Cyrillic letter": Hostile(Rule.MISSING_CLAIM, lambda: app({"aud": ABSENT, "аud": AUDIENCE})),
    "missing: exp of the actor": _actor(Rule.MISSING_CLAIM, exp=ABSENT),
    "missing: aud of the actor": _actor(Rule.MISSING_CLAIM, aud=ABSENT),
    "type: aud is a list of ours": _claim(Rule.BAD_CLAIM, aud=[AUDIENCE]),
    "type: aud is a list of ours and another": _claim(Rule.BAD_CLAIM, aud=[AUDIENCE, "kafka"]),
    "type: aud is an empty list": _claim(Rule.BAD_CLAIM, aud=[]),
    "type: aud is an object": _claim(Rule.BAD_CLAIM, aud={AUDIENCE: True}),
    "type: aud is null": _claim(Rule.BAD_CLAIM, aud=None),
    "type: aud is empty": _claim(Rule.BAD_CLAIM, aud=""),
    "type: aud is long": _claim(Rule.BAD_CLAIM, aud=AUDIENCE + "x" * 512),
    "type: iss is a list": _claim(Rule.BAD_CLAIM, iss=[LYNC_ID]),
    "type: iss is a number": _claim(Rule.BAD_CLAIM, iss=4),
    "type: nameid is true": _claim(Rule.BAD_CLAIM, nameid=True),
    "type: nameid is an object": _claim(Rule.BAD_CLAIM, nameid={"$ne": ""}),
    "type: trustedfordelegation is true, not text": _claim(Rule.BAD_CLAIM, trustedfordelegation=True),
    "type: trustedfordelegation is 1": _claim(Rule.BAD_CLAIM, trustedfordelegation=1),
    "type: trustedfordelegation is null": _claim(Rule.BAD_CLAIM, trustedfordelegation=None),
    "type: trustedfordelegation is True": _actor(Rule.BAD_CLAIM, trustedfordelegation="True"),
    "type: trustedfordelegation is TRUE": _actor(Rule.BAD_CLAIM, trustedfordelegation="TRUE"),
    "type: trustedfordelegation has a space": _actor(Rule.BAD_CLAIM, trustedfordelegation="true "),
    "type: trustedfordelegation is a list": _actor(Rule.BAD_CLAIM, trustedfordelegation=["true"]),
    "type: forty claims": Hostile(Rule.BAD_CLAIM, lambda: app({f"x{number}": number for number in range(40)})),
    "unicode: Cyrillic letter in aud": _claim(Rule.BAD_CLAIM, aud=AUDIENCE.replace("o", "о")),
    "unicode: Cyrillic letter in iss": _claim(Rule.BAD_CLAIM, iss=LYNC_ID.replace("a", "а")),
    "unicode: Cyrillic letter in nameid": _claim(Rule.BAD_CLAIM, nameid=LYNC_ID.replace("e", "е")),
    "unicode: full-width @ in iss": _claim(Rule.BAD_CLAIM, iss=LYNC_ID.replace("@", "＠")),
    "unicode: full-width slash in aud": _claim(Rule.BAD_CLAIM, aud=AUDIENCE.replace("/", "／")),
    "unicode: full-width digits in aud": _claim(Rule.BAD_CLAIM, aud=AUDIENCE.replace("0", "０")),
    "unicode: Kelvin sign in aud": _claim(Rule.BAD_CLAIM, aud=AUDIENCE.replace("m", "\u212a")),
    "unicode: ideographic full stop in aud": _claim(Rule.BAD_CLAIM, aud=AUDIENCE.replace(".", "\u3002")),
    "unicode: right-to-left mark in iss": _claim(Rule.BAD_CLAIM, iss=f"\u202e{LYNC_ID}"),
    "unicode: zero-width space in iss": _claim(Rule.BAD_CLAIM, iss=f"{LYNC_ID}\u200b"),
    "unicode: lone surrogate in iss": _claim(Rule.BAD_CLAIM, iss=f"{LYNC_ID}\ud800"),
    "space: behind iss": _claim(Rule.BAD_CLAIM, iss=f"{LYNC_ID} "),
    "space: newline behind aud": _claim(Rule.BAD_CLAIM, aud=f"{AUDIENCE}\n"),
    "space: NUL in aud": _claim(Rule.BAD_CLAIM, aud=f"{AUDIENCE}\0.attacker.example"),
    "space: header injection in nameid": _claim(Rule.BAD_CLAIM, nameid=f"{LYNC_ID}\r\nX: y"),
    "nested: an actor token in an app-only token": Hostile(Rule.NESTED, lambda: app({"actortoken": actor()})),
    "nested: an actor token in the actor token": Hostile(
        Rule.NESTED, lambda: user(inner=actor({"actortoken": actor()}))
    ),
    "nested: actor in an app-only token": Hostile(Rule.NESTED, lambda: app({"actor": actor()})),
    "nested: actor in the actor token": Hostile(Rule.NESTED, lambda: user(inner=actor({"actor": actor()}))),
    "nested: a null actor token": _claim(Rule.NESTED, actortoken=None),
    "nested: a signed user token": Hostile(Rule.NESTED, lambda: app({"actortoken": actor(), "nameid": "a@b"})),
}
TIMES: Final[dict[str, Hostile]] = {
    "time: a float": _odd_time(SECONDS + 3600.5),
    "time: a whole float": _odd_time(float(SECONDS + 3600)),
    "time: a float as text": _odd_time(f"{SECONDS + 3600}.0"),
    "time: an exponent": _odd_time("17e8"),
    "time: a huge float": _odd_time(float("1e308")),
    "time: hexadecimal": _odd_time(hex(SECONDS + 3600)),
    "time: octal": _odd_time(oct(SECONDS + 3600)),
    "time: an underscore": _odd_time("1_767_607_200"),
    "time: a sign": _odd_time(f"+{SECONDS + 3600}"),
    "time: negative": _odd_time(-1),
    "time: negative as text": _odd_time("-1", "nbf"),
    "time: a zero in front": _odd_time(f"0{SECONDS + 3600}"),
    "time: a space in front": _odd_time(f" {SECONDS + 3600}"),
    "time: a newline behind": _odd_time(f"{SECONDS + 3600}\n"),
    "time: a NUL behind": _odd_time(f"{SECONDS + 3600}\0"),
    "time: a date": _odd_time("2026-01-05T10:00:00Z"),
    "time: full-width digits": _odd_time("".join(chr(ord(digit) + 0xFEE0) for digit in str(SECONDS + 3600))),
    "time: Arabic digits": _odd_time("".join(chr(ord(digit) + 0x630) for digit in str(SECONDS + 3600))),
    "time: superscript": _odd_time(f"{SECONDS}\u00b2"),
    "time: NaN as text": _odd_time("NaN"),
    "time: infinity as text": _odd_time("Infinity"),
    "time: true": _odd_time(True),
    "time: false": _odd_time(False, "nbf"),
    "time: null": _odd_time(None),
    "time: empty": _odd_time(""),
    "time: a list": _odd_time([SECONDS + 3600]),
    "time: an object": _odd_time({"$gt": 0}),
    "time: twelve digits, as in milliseconds": _odd_time(SECONDS * 100),
    "time: milliseconds": _odd_time(str((SECONDS + 3600) * 1000)),
    "time: two to the 63": _odd_time(2**63),
    "time: four thousand digits": _odd_time("9" * 4_000),
    "time: a number of four thousand digits": _odd_time(int("9" * 4_000)),
    "time: of the actor, a float": _actor(Rule.BAD_TIME, exp=SECONDS + 3600.5),
    "time: ends when it begins": _life(Rule.BAD_TIME, 0, 0),
    "time: ends before it begins": _life(Rule.BAD_TIME, 3600, 0),
    "time: ends in 1970": _claim(Rule.BAD_TIME, exp="0"),
    "life: a second more than a day": _life(Rule.LIFE_TOO_LONG, 0, DAY_S + 1),
    "life: a hundred years": _life(Rule.LIFE_TOO_LONG, 0, 100 * 365 * DAY_S),
    "life: until the largest time": _claim(Rule.LIFE_TOO_LONG, exp="99999999999"),
    "life: since 1970": _claim(Rule.LIFE_TOO_LONG, nbf=0),
    "life: of the actor": _actor(Rule.LIFE_TOO_LONG, exp=str(SECONDS + DAY_S + 1)),
    "life: longer than configured": Hostile(Rule.LIFE_TOO_LONG, app, lambda: configured(life_s_max=3599)),
    "early: by a second more than the skew": _life(Rule.NOT_YET_VALID, 61, 3600),
    "early: tomorrow": _life(Rule.NOT_YET_VALID, DAY_S, DAY_S + 3600),
    "early: in the year 5138": _claim(Rule.NOT_YET_VALID, nbf="99999990000", exp="99999999999"),
    "early: the actor": _actor(Rule.NOT_YET_VALID, nbf=str(SECONDS + 61)),
    "early: by a second, without skew": Hostile(
        Rule.NOT_YET_VALID, lambda: app({"nbf": str(SECONDS + 1)}), lambda: configured(skew_s=0)
    ),
    "late: by the skew": _life(Rule.EXPIRED, -3600, -60),
    "late: yesterday": _life(Rule.EXPIRED, -DAY_S - 3600, -DAY_S),
    "late: the first hour of 1970": _claim(Rule.EXPIRED, nbf="0", exp="3600"),
    "late: minus nothing": _claim(Rule.EXPIRED, nbf=-0, exp=1),
    "late: the actor": _actor(Rule.EXPIRED, nbf=str(SECONDS - 3600), exp=str(SECONDS - 60)),
    "late: at its end, without skew": Hostile(
        Rule.EXPIRED, lambda: app({"nbf": str(SECONDS - 9), "exp": str(SECONDS)}), lambda: configured(skew_s=0)
    ),
    "late: replayed the next day": Hostile(Rule.EXPIRED, app, lambda: replace(world(), now=NOW + timedelta(days=1))),
}
PLACES: Final[dict[str, Hostile]] = {
    "aud: Kafka's": _audience("kafka"),
    "aud: SharePoint's": _audience(str(Audience(SHAREPOINT, HOST, REALM))),
    "aud: Lync's": _audience(str(Audience(LYNC, HOST, REALM))),
    "aud: an identity token's address": _audience(f"https://{HOST}/ews/exchange.asmx"),
    "aud: another host": _audience(str(Audience(EXCHANGE, "mail.fabrikam.example", REALM))),
    "aud: a host below ours": _audience(str(Audience(EXCHANGE, f"evil.{HOST}", REALM))),
    "aud: a host that begins like ours": _audience(str(Audience(EXCHANGE, f"{HOST}.attacker.example", REALM))),
    "aud: a dot behind the host": _audience(str(Audience(EXCHANGE, f"{HOST}.", REALM))),
    "aud: a port": _audience(str(Audience(EXCHANGE, f"{HOST}:443", REALM))),
    "aud: a star for the host": _audience(str(Audience(EXCHANGE, "*", REALM))),
    "aud: no host": _audience(f"{EXCHANGE}@{REALM}"),
    "aud: an empty host": _audience(f"{EXCHANGE}/@{REALM}"),
    "aud: another realm": _audience(str(Audience(EXCHANGE, HOST, "fabrikam.example"))),
    "aud: realm in capitals": _audience(str(Audience(EXCHANGE, HOST, REALM.upper()))),
    "aud: a star for the realm": _audience(str(Audience(EXCHANGE, HOST, "*"))),
    "aud: no realm": _audience(f"{EXCHANGE}/{HOST}"),
    "aud: an empty realm": _audience(f"{EXCHANGE}/{HOST}@"),
    "aud: two realms": _audience(f"{AUDIENCE}@{REALM}"),
    "aud: application id in capitals": _audience(str(Audience(EXCHANGE.upper(), HOST, REALM))),
    "aud: application id in braces": _audience(str(Audience(f"{{{EXCHANGE}}}", HOST, REALM))),
    "aud: no application": _audience(f"/{HOST}@{REALM}"),
    "aud: two hosts": _audience(f"{EXCHANGE}/{HOST}/other@{REALM}"),
    "aud: two audiences in one text": _audience(f"{AUDIENCE},{AUDIENCE}"),
    "aud: of the actor, SharePoint's": _actor(Rule.AUDIENCE, aud=str(Audience(SHAREPOINT, HOST, REALM))),
    "aud: of both, Kafka's": Hostile(Rule.AUDIENCE, lambda: user({"aud": "kafka"}, inner=actor({"aud": "kafka"}))),
    "nameid: another partner": _claim(Rule.ACTOR, nameid=FABRIKAM_ID),
    "nameid: another application of the realm": _claim(Rule.ACTOR, nameid=SHAREPOINT_ID),
    "nameid: a user": _claim(Rule.ACTOR, nameid="alice@contoso.example"),
    "nameid: the issuer in other case": _claim(Rule.ACTOR, nameid=LYNC_ID.upper()),
    "nameid: another partner, in the actor": _actor(Rule.ACTOR, nameid=FABRIKAM_ID),
}
CASES: Final = {**PRESENCE, **TIMES, **PLACES}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str) -> None:
    assert_refused(CASES[name])
