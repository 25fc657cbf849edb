"""A JOSE implementation that shares no code with ours reads what we issue, and writes what we would."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import JWSRegistry

from producers.tokens.certificate import SigningKey
from producers.tokens.documents import jwks
from producers.tokens.issuing import TokenIssuer
from producers.tokens.keyring import Keyring, Keys
from producers.tokens.signing import signed
from schemas.login import ARCHIVER, KAFKA_AUDIENCE
from tests.support.clock import ManualClock
from tests.support.signing import AUDIENCE, REALM, claims_of, parts, signing_key

REGISTRY = JWSRegistry(algorithms=["RS256"])


@pytest.fixture(name="issuer")
def _issuer(tmp_path: Path) -> TokenIssuer:
    clock = ManualClock()
    return TokenIssuer(Keyring(tmp_path, REALM, clock), REALM, clock)


def published(keys: Keys) -> KeySet:
    """Return our JWKS as the peer reads it, from its text."""
    return KeySet.import_key_set(json.loads(json.dumps(jwks(keys))))


def peer_key(key: SigningKey) -> RSAKey:
    """Return a private key of ours as the peer's."""
    return RSAKey.import_key(key.private)


def test_the_peer_verifies_access_tokens_by_our_jwks(issuer: TokenIssuer) -> None:
    """The key is found by `kid`, the signature holds, and the claims are good for who asks for Kafka."""
    token = jwt.decode(
        issuer.access_token(KAFKA_AUDIENCE, ARCHIVER).text, published(issuer.keyring.keys()), algorithms=["RS256"]
    )
    assert token.header["typ"] == "at+jwt"
    now = int(ManualClock().now().timestamp())
    rules = jwt.JWTClaimsRegistry(
        now=now,
        iss={"essential": True, "value": str(issuer.principal)},
        aud={"essential": True, "value": KAFKA_AUDIENCE},
        sub={"essential": True, "value": ARCHIVER},
        exp={"essential": True},
    )
    rules.validate(token.claims)


def test_the_peer_verifies_tokens_for_exchange(issuer: TokenIssuer) -> None:
    """Those name their key by `x5t`, so the peer is given the one with that thumbprint."""
    keys = {key["x5t"]: RSAKey.import_key(key) for key in jwks(issuer.keyring.keys())["keys"]}
    user = issuer.user_token(AUDIENCE, "ada@contoso.example", "urn:office:idp:activedirectory").text
    for text in (issuer.app_token(AUDIENCE).text, claims_of(user)["actortoken"]):
        x5t = json.loads(parts(text)[0])["x5t"]
        found = jws.deserialize_compact(text, keys[x5t], registry=REGISTRY)
        assert found.payload == parts(text)[1].encode()


def test_the_peer_refuses_what_was_changed(issuer: TokenIssuer) -> None:
    """Other claims, another key, a key that is not published."""
    text = issuer.access_token(KAFKA_AUDIENCE, ARCHIVER).text
    other = issuer.access_token(KAFKA_AUDIENCE, "lync-admin").text
    header, _, signature = text.split(".")
    with pytest.raises(BadSignatureError):
        jwt.decode(
            f"{header}.{other.split('.')[1]}.{signature}", published(issuer.keyring.keys()), algorithms=["RS256"]
        )
    current = issuer.keyring.keys().current
    claims = claims_of(text)
    stranger = signed(signing_key(0), claims, {"typ": "at+jwt", "kid": current.x5t})
    with pytest.raises(BadSignatureError):
        jwt.decode(stranger, published(issuer.keyring.keys()), algorithms=["RS256"])
    unknown = signed(signing_key(0), claims, {"typ": "at+jwt", "kid": signing_key(0).x5t})
    with pytest.raises(InvalidKeyIdError):
        jwt.decode(unknown, published(issuer.keyring.keys()), algorithms=["RS256"])


def test_the_peer_writes_the_same_bytes(issuer: TokenIssuer) -> None:
    """RS256 has one signature for one text (RFC 8017, section 8.2), so the peer's token by our key is ours."""
    key = issuer.keyring.keys().current
    text = issuer.app_token(AUDIENCE).text
    header: dict[str, Any] = json.loads(parts(text)[0])
    assert jwt.encode(header, claims_of(text), peer_key(key), algorithms=["RS256"]) == text
    access = issuer.access_token(KAFKA_AUDIENCE, ARCHIVER).text
    payload = parts(access)[1].encode()
    assert jws.serialize_compact(json.loads(parts(access)[0]), payload, peer_key(key), registry=REGISTRY) == access


def test_the_peer_finds_a_rolled_key(issuer: TokenIssuer) -> None:
    """Tokens of the key before and of the current one verify by one and the same set."""
    old = issuer.access_token(KAFKA_AUDIENCE, ARCHIVER).text
    keys = issuer.keyring.keys()
    now = ManualClock().now()
    rolled = keys.rolled(signing_key(1), now).at(now)
    new = signed(rolled.current, claims_of(old), {"typ": "at+jwt", "kid": rolled.current.x5t})
    both = published(rolled)
    for text in (old, new):
        assert jwt.decode(text, both, algorithms=["RS256"]).claims["sub"] == ARCHIVER


def test_the_certificate_and_the_jwks_have_one_key() -> None:
    """The peer's key from the JWKS is the key in the certificate that partners read."""
    key = signing_key(0)
    (entry,) = jwks(Keys(key))["keys"]
    public = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert RSAKey.import_key(entry).as_pem(private=False) == public
