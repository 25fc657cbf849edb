"""Tokens as text: the JWS compact serialization (RFC 7515, section 7.1), taken apart without believing any of it."""

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final, NamedTuple

from consumers.tokens.rules import Rule, TokenRefused

TOKEN_CHARS_MAX: Final = 16 * 1024
"""A whole token. A user token with a signature of 4096 bits is below 4 KiB; HTTP servers stop at 8 to 16 KiB."""

PARTS: Final = 3

_BASE64URL: Final = re.compile(r"[0-9A-Za-z_-]*")


class Compact(NamedTuple):
    """A token's header and claims, each a JSON object, the bytes of its signature, and itself."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signature: bytes
    text: str


class _Repeated(ValueError):
    """An object names a member twice."""


def parse_compact(text: str) -> Compact:
    """Return the token's parts. Raises TokenRefused where it is not well formed in every detail."""
    if len(text) > TOKEN_CHARS_MAX:
        raise TokenRefused(Rule.TOO_LARGE, f"the token has more than {TOKEN_CHARS_MAX} characters")
    parts = text.split(".")
    if len(parts) != PARTS or not parts[0] or not parts[1]:
        raise TokenRefused(Rule.NOT_COMPACT, "the token does not have three parts")
    header, claims, signature = (_decode(part) for part in parts)
    return Compact(_object(header, "header"), _object(claims, "claims"), signature, text)


def token_id(text: str) -> str:
    """Return a name for the token that nothing of it can be read from: the start of its SHA-256, in hexadecimal."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _decode(part: str) -> bytes:
    """Decode base64url without padding, in its one spelling: nothing else has the same bytes."""
    if _BASE64URL.fullmatch(part) is None or len(part) % 4 == 1:
        raise TokenRefused(Rule.BAD_ENCODING, "a part is not base64url")
    octets = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(octets).rstrip(b"=").decode() != part:
        raise TokenRefused(Rule.BAD_ENCODING, "a part is not base64url in its one spelling")
    return octets


def _object(octets: bytes, what: str) -> dict[str, Any]:
    refusal: TokenRefused | None = None
    found: Any = None
    try:
        found = json.loads(octets.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except _Repeated:
        refusal = TokenRefused(Rule.DUPLICATE_MEMBER, f"the {what} names a member twice")
    except (ValueError, RecursionError):
        refusal = TokenRefused(Rule.BAD_JSON, f"the {what} is not JSON")
    if refusal is not None:  # raised here, since the parsers' own errors hold the text, even as a mere context
        raise refusal
    if not isinstance(found, dict):
        raise TokenRefused(Rule.BAD_JSON, f"the {what} is not a JSON object")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


def _refuse_constant(_: str) -> None:
    """NaN and the infinities are Python's own; JSON has none (RFC 8259, section 6)."""
    raise ValueError
