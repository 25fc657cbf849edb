"""Hostile inputs made from good ones, and a second reading of what may be accepted at all.

The outer token of a user token is unsigned by design ([MS-XOAUTH]): whoever holds a good actor token may put any user
around it. So a changed outer part may be accepted, for a user whose roles count; the signed part may not be changed.
"""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Final

from consumers.tokens.verifier import AcceptedToken
from tests.fuzz.mutations import change_document, change_text
from tests.support.tokens import (
    AUDIENCE,
    LYNC_ID,
    SECONDS,
    SHAREPOINT_ID,
    actor,
    app,
    app_claims,
    app_header,
    raw,
    sharepoint_app,
    sharepoint_user,
    signed,
    user,
    user_claims,
)

DAY_S: Final = 24 * 3600
SKEW_S: Final = 60


@dataclass(frozen=True, slots=True)
class Input:
    """A token; `trusted` where a key that is trusted signed its changed parts, as a partner gone bad would."""

    text: str
    trusted: bool = False


@cache
def seeds() -> tuple[str, ...]:
    """Return good tokens of both shapes and profiles."""
    numbers = {"nbf": SECONDS, "exp": SECONDS + 3600}
    apps = (app(), app(numbers), app(signer="previous"), app({"x": {"y": ["z", 1]}}), sharepoint_app())
    return (*apps, user(), user(numbers), user({"smtp": "bob@contoso.example"}), sharepoint_user())


@cache
def lent() -> tuple[str, ...]:
    """Return what pieces are taken from: the good tokens, and an actor and a stranger's token, bad by themselves."""
    return (*seeds(), actor(), app(signer="stranger"), actor(signer="stranger"), user(inner=app()))


def hostile_token(rng: Random) -> Input:
    """Return a token changed as text, within its JSON, or within its JSON and signed anew."""
    choice = rng.random()
    if choice < 0.55:
        return Input(change_text(rng, rng.choice(seeds()), lent()))
    if choice < 0.75:
        return Input(_edited(rng))
    if choice < 0.9:
        inner = _resigned(rng, "stranger")
        return Input(inner if rng.random() < 0.5 else user(inner=inner))
    inner = _resigned(rng, "lync")
    return Input(inner if rng.random() < 0.5 else user(inner=inner), trusted=True)


def rightly(given: Input, opened: AcceptedToken) -> bool:
    """Return whether the token is one that may be accepted, read with nothing of the verifier."""
    if given.text in seeds():
        return True
    claims = _claims(given.text)
    inner = claims.get("actortoken")
    if inner is None:
        return given.trusted and opened.user is None and _in_order(claims, claims["nameid"])
    good = _claims(inner)
    untouched = given.trusted or any(_claims(seed).get("actortoken") == inner for seed in lent())
    agreeing = claims["aud"] == good["aud"] and good["trustedfordelegation"] == "true"
    return untouched and agreeing and _in_order(claims, good["nameid"]) and _in_order(good, good["nameid"])


def _in_order(claims: dict[str, Any], issuer: str) -> bool:
    application, _, rest = claims["aud"].partition("/")
    host, _, realm = rest.partition("@")
    begins, ends = int(claims["nbf"]), int(claims["exp"])
    return (
        f"{application}/{host.lower()}@{realm}" == AUDIENCE
        and claims["iss"] == issuer
        and issuer in {LYNC_ID, SHAREPOINT_ID}
        and 0 < ends - begins <= DAY_S
        and begins - SKEW_S <= SECONDS < ends + SKEW_S
    )


def _claims(text: str) -> dict[str, Any]:
    part = text.split(".")[1]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _edited(rng: Random) -> str:
    """A good token with its header or claims edited, and the signature that it had."""
    header, claims, signature = (
        urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in rng.choice(seeds()).split(".")
    )
    if rng.random() < 0.4:
        header = change_document(rng, json.loads(header))
    else:
        claims = change_document(rng, json.loads(claims))
    return raw(header, claims, signature)


def _resigned(rng: Random, signer: str) -> str:
    """A token of Lync with its header or claims edited, signed by the key of that name under Lync's thumbprint."""
    begins = SECONDS + rng.choice((0, 0, 0, 0, -2, 2)) * DAY_S
    usual = app_claims({"nbf": str(begins), "exp": str(begins + rng.choice((1, 3600, DAY_S)))})
    if rng.random() < 0.5:
        usual["trustedfordelegation"] = "true"
    if rng.random() < 0.3:
        header = app_header({"kid": app_header()["x5t"]} if rng.random() < 0.5 else {})
        return signed(change_document(rng, header), usual, signer)
    if rng.random() < 0.1:
        return signed(app_header(), change_document(rng, user_claims()), signer)
    return signed(app_header(), change_document(rng, usual), signer)
