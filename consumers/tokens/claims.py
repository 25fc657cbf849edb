"""What a token claims, as types: each claim present, of its type, bounded, and in characters that deceive nobody."""

import re
from typing import Any, Final, NamedTuple

from consumers.tokens.compact import Compact
from consumers.tokens.rules import Rule, TokenRefused
from schemas.principals import PRINCIPAL_CHARS_MAX

CLAIMS_MAX: Final = 32
"""Members of a header or of the claims; samples have up to ten. Unknown claims are passed over (RFC 7519, 4)."""

USER_CHARS_MAX: Final = 256
"""A user's address or SID."""

TIME_DIGITS_MAX: Final = 11
"""Seconds since 1970 up to the year 5138, which is beyond any `datetime` arithmetic that can go wrong."""

_TIME: Final = re.compile(rf"0|[1-9][0-9]{{0,{TIME_DIGITS_MAX - 1}}}")
_ADDRESS: Final = re.compile(r"[0-9A-Za-z!#$%&'*+./=?^_`{|}~-]+@[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?")
_SID: Final = re.compile(r"s-1-[0-9]{1,15}(?:-[0-9]{1,10}){1,15}", re.IGNORECASE)
_HEADER: Final = frozenset({"typ", "alg", "x5t", "kid"})
_ADDRESSES: Final = ("smtp", "upn", "sip")


class Life(NamedTuple):
    """From when until when a token is good, in seconds since 1970; the end is after the beginning."""

    begins: int
    ends: int


class Actor(NamedTuple):
    """The signed token's claims: an application's word."""

    audience: str
    issuer: str
    name: str
    life: Life
    delegated: bool


class User(NamedTuple):
    """The unsigned outer token's claims: for whom the application says that it acts."""

    audience: str
    issuer: str
    name: str
    name_issuer: str
    life: Life
    address: str | None


def check_header(token: Compact) -> None:
    """Raise TokenRefused for any header member but the samples' own and `kid`, and for another type than JWT.

    What is refused so could bring a key along, point at one, or change what is signed (RFC 8725, section 3).
    """
    if not token.header.keys() <= _HEADER:
        raise TokenRefused(Rule.HEADER_MEMBER, "the header has a member that is not for this token")
    if token.header.get("typ", "JWT") != "JWT":
        raise TokenRefused(Rule.BAD_TYPE, "the token is not of type JWT")


def actor_of(token: Compact) -> Actor:
    """Return the claims of a signed token. Raises TokenRefused."""
    claims = _bounded(token)
    if "actortoken" in claims or "actor" in claims:
        raise TokenRefused(Rule.NESTED, "a signed token carries another token")
    delegation = claims.get("trustedfordelegation", "false")
    if delegation not in ("true", "false"):
        raise TokenRefused(Rule.BAD_CLAIM, "trustedfordelegation is neither true nor false, as text")
    return Actor(
        audience=_text(claims, "aud"),
        issuer=_text(claims, "iss"),
        name=_text(claims, "nameid"),
        life=_life(claims),
        delegated=delegation == "true",
    )


def user_of(token: Compact) -> User:
    """Return the claims of an unsigned outer token. Raises TokenRefused."""
    claims = _bounded(token)
    return User(
        audience=_text(claims, "aud"),
        issuer=_text(claims, "iss"),
        name=_text(claims, "nameid"),
        name_issuer=_text(claims, "nii"),
        life=_life(claims),
        address=_address(claims),
    )


def is_address(text: str) -> bool:
    """Return whether the text is an address of ASCII characters, as a UPN is."""
    return len(text) <= USER_CHARS_MAX and _ADDRESS.fullmatch(text) is not None


def is_sid(text: str) -> bool:
    """Return whether the text is a security identifier ([MS-DTYP] 2.4.2.1)."""
    return _SID.fullmatch(text) is not None


def _bounded(token: Compact) -> dict[str, Any]:
    if len(token.claims) > CLAIMS_MAX:
        raise TokenRefused(Rule.BAD_CLAIM, f"the token has more than {CLAIMS_MAX} claims")
    return token.claims


def _text(claims: dict[str, Any], name: str) -> str:
    if name not in claims:
        raise TokenRefused(Rule.MISSING_CLAIM, f"there is no claim {name}")
    value = claims[name]
    if not isinstance(value, str) or not 0 < len(value) <= PRINCIPAL_CHARS_MAX:
        raise TokenRefused(Rule.BAD_CLAIM, f"the claim {name} is not one text of bounded length")
    if not all("!" <= character <= "~" for character in value):
        raise TokenRefused(Rule.BAD_CLAIM, f"the claim {name} is not in visible ASCII")
    return value


def _life(claims: dict[str, Any]) -> Life:
    life = Life(_time(claims, "nbf"), _time(claims, "exp"))
    if life.ends <= life.begins:
        raise TokenRefused(Rule.BAD_TIME, "the token ends before it begins")
    return life


def _time(claims: dict[str, Any], name: str) -> int:
    """Seconds since 1970, as the number of RFC 7519 or as the text of the samples, in its one spelling."""
    if name not in claims:
        raise TokenRefused(Rule.MISSING_CLAIM, f"there is no claim {name}")
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | str) or _TIME.fullmatch(str(value)) is None:
        raise TokenRefused(Rule.BAD_TIME, f"the claim {name} is not a whole number of seconds since 1970")
    return int(value)


def _address(claims: dict[str, Any]) -> str | None:
    """Return the first of the optional claims that name the user: smtp, then upn, then sip. All must be addresses."""
    found = [_text(claims, name).removeprefix("sip:") for name in _ADDRESSES if name in claims]
    if not all(is_address(address) for address in found):
        raise TokenRefused(Rule.USER, "a claim that names the user is not an address")
    return found[0] if found else None
