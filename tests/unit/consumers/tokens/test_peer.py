"""An independent JOSE implementation issues tokens that are accepted, and agrees on which are tampered with."""

import json
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import RSAKey

from consumers.tokens.rules import Rule, TokenRefused
from tests.support.tokens import (
    ALICE,
    LYNC_ID,
    actor,
    app,
    app_claims,
    app_header,
    private_key,
    user,
    world,
)

DELEGATED: Final = {"trustedfordelegation": "true"}


def _key(name: str = "lync") -> RSAKey:
    return RSAKey.import_key(private_key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _issued(claims: dict[str, Any], name: str = "lync") -> str:
    """A token that the peer issues with a key of ours."""
    return jwt.encode(app_header(), claims, _key(name), algorithms=["RS256"])


def _tampered(text: str) -> str:
    """The token with the tenth character of its signature exchanged."""
    start, dot, signature = text.rpartition(".")
    other = "A" if signature[10] != "A" else "B"
    return f"{start}{dot}{signature[:10]}{other}{signature[11:]}"


def _refused(text: str) -> Rule:
    with pytest.raises(TokenRefused) as caught:
        world().judge(text)
    return caught.value.rule


def test_its_app_only_tokens_are_accepted() -> None:
    """Signed by the peer with a partner's key; refused once a character of the signature is another."""
    text = _issued(app_claims())
    assert str(world().judge(text).principal) == LYNC_ID
    assert _refused(_tampered(text)) is Rule.BAD_SIGNATURE


def test_its_user_tokens_are_accepted() -> None:
    """The peer's actor token in an unsigned outer one; refused once a character of its signature is another."""
    inner = _issued(app_claims(DELEGATED))
    assert world().judge(user(inner=inner)).user == ALICE
    assert _refused(user(inner=_tampered(inner))) is Rule.BAD_SIGNATURE


def test_its_tokens_by_a_strangers_key_are_refused() -> None:
    """The peer's tokens are worth no more than the key that they are signed by."""
    assert _refused(_issued(app_claims(), "stranger")) is Rule.BAD_SIGNATURE
    assert _refused(user(inner=_issued(app_claims(DELEGATED), "stranger"))) is Rule.BAD_SIGNATURE


@pytest.mark.parametrize("make", [app, actor])
def test_it_accepts_what_these_tests_sign(make: Any) -> None:
    """Tokens made by hand, which the suite of hostile tokens builds on, are good for the peer too."""
    assert jwt.decode(make(), _key(), algorithms=["RS256"]).claims["iss"] == LYNC_ID
    with pytest.raises(BadSignatureError):
        jwt.decode(_tampered(make()), _key(), algorithms=["RS256"])


def test_both_write_the_same_signature() -> None:
    """RSASSA-PKCS1-v1_5 is deterministic: the same key and text give the same token, byte for byte."""
    payload = json.dumps(app_claims(), separators=(",", ":"))
    assert jws.serialize_compact(app_header(), payload, _key(), algorithms=["RS256"]) == app()
