"""Keys and tokens for tests of the issuer: keys are made at run time, once each, for making them is slow."""

import json
from base64 import urlsafe_b64decode
from functools import cache
from typing import Any, Final

from producers.tokens.certificate import SigningKey, make_key
from tests.support.clock import START

REALM: Final = "contoso.example"
AUDIENCE: Final = f"00000002-0000-0ff1-ce00-000000000000/exchange.contoso.example@{REALM}"


@cache
def signing_key(number: int) -> SigningKey:
    """Return the key of that number, the same one each time."""
    del number
    return make_key(REALM, START)


def parts(token: str) -> tuple[str, str, bytes]:
    """Return the text of a token's header and claims, and its signature; the bytes are as they are signed."""
    header, claims, signature = (_decoded(part) for part in token.split("."))
    return header.decode(), claims.decode(), signature


def claims_of(token: str) -> dict[str, Any]:
    """Return a token's claims, unverified."""
    found: dict[str, Any] = json.loads(parts(token)[1])
    return found


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
