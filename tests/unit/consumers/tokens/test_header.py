"""Headers that would bring a key along, change what is signed, or let the token choose how it is checked (RFC 8725)."""

import hmac
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from consumers.tokens.rules import Rule
from tests.support.hostile import Hostile, assert_refused
from tests.support.tokens import (
    ABSENT,
    Members,
    actor,
    app,
    app_claims,
    app_header,
    certificate,
    encode,
    private_key,
    raw,
    signed,
    thumbprint,
    user,
    user_claims,
)

HOSTILE_URL: Final = "https://attacker.example/keys"


def _stranger_jwk() -> dict[str, Any]:
    numbers = private_key("stranger").public_key().public_numbers()
    modulus = encode(numbers.n.to_bytes(256, "big"))
    return {"kty": "RSA", "e": "AQAB", "n": modulus, "alg": "RS256"}


def _stranger(**header: Any) -> str:
    """A token whose header brings the stranger's key, and which the stranger signed."""
    return signed(app_header(header), app_claims(), "stranger")


def _hmac(secret: bytes, algorithm: str = "HS256", digest: str = "sha256") -> str:
    """A token authenticated by something public as if it were a secret."""
    text = raw(app_header({"alg": algorithm}), app_claims())[:-1]
    return f"{text}.{encode(hmac.new(secret, text.encode(), digest).digest())}"


def _public(encoding: Encoding, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    return private_key("lync").public_key().public_bytes(encoding, form)


def _pem(der: bytes) -> bytes:
    text = encode(der).replace("-", "+").replace("_", "/")
    return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n".encode()


def _rsa(algorithm: str, digest: hashes.HashAlgorithm, *, pss: bool = False) -> str:
    """A token that the right key signed in another way."""
    text = raw(app_header({"alg": algorithm}), app_claims())[:-1]
    scheme = padding.PSS(padding.MGF1(digest), digest.digest_size) if pss else padding.PKCS1v15()
    return f"{text}.{encode(private_key('lync').sign(text.encode(), scheme, digest))}"


def _ecdsa() -> str:
    text = raw(app_header({"alg": "ES256"}), app_claims())[:-1]
    return f"{text}.{encode(ec.generate_private_key(ec.SECP256R1()).sign(text.encode(), ec.ECDSA(hashes.SHA256())))}"


def _unsigned(header: Members, signature: bytes = b"") -> str:
    return raw(header, app_claims(), signature)


CASES: Final[dict[str, Hostile]] = {
    "header: embedded jwk, signed with it": Hostile(Rule.HEADER_MEMBER, lambda: _stranger(jwk=_stranger_jwk())),
    "header: embedded jwk of the right key": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"jwk": {"kty": "RSA"}})),
    "header: jku": Hostile(Rule.HEADER_MEMBER, lambda: _stranger(jku=HOSTILE_URL)),
    "header: jku of a file": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"jku": "file:///etc/passwd"})),
    "header: x5u": Hostile(Rule.HEADER_MEMBER, lambda: _stranger(x5u=HOSTILE_URL)),
    "header: x5c": Hostile(Rule.HEADER_MEMBER, lambda: _stranger(x5c=[encode(certificate("stranger"))])),
    "header: x5c of the right key": Hostile(
        Rule.HEADER_MEMBER, lambda: app(header={"x5c": [encode(certificate("lync"))]})
    ),
    "header: x5t#S256": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"x5t#S256": "a" * 43})),
    "header: crit": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"crit": ["exp"], "exp": 1})),
    "header: empty crit": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"crit": []})),
    "header: crit naming alg": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"crit": ["alg"]})),
    "header: b64 false": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"b64": False})),
    "header: b64 false and critical": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"b64": False, "crit": ["b64"]})),
    "header: b64 true": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"b64": True})),
    "header: zip": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"zip": "DEF"})),
    "header: cty, a nested token": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"cty": "JWT"})),
    "header: enc, an encrypted token": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"enc": "A256GCM"})),
    "header: a claim in it": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"iss": "x"})),
    "header: metadata address": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"metadata": HOSTILE_URL})),
    "header: another case of alg": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"ALG": "none"})),
    "header: Cyrillic alg": Hostile(Rule.HEADER_MEMBER, lambda: app(header={"аlg": "none"})),
    "header: jwk in the actor token": Hostile(
        Rule.HEADER_MEMBER, lambda: user(inner=actor(header={"jwk": _stranger_jwk()}, signer="stranger"))
    ),
    "header: crit in the outer token": Hostile(Rule.HEADER_MEMBER, lambda: user(header={"crit": ["exp"]})),
    "header: jku in the outer token": Hostile(Rule.HEADER_MEMBER, lambda: user(header={"jku": HOSTILE_URL})),
    "typ: at+jwt": Hostile(Rule.BAD_TYPE, lambda: app(header={"typ": "at+jwt"})),
    "typ: lower case": Hostile(Rule.BAD_TYPE, lambda: app(header={"typ": "jwt"})),
    "typ: JOSE": Hostile(Rule.BAD_TYPE, lambda: app(header={"typ": "JOSE"})),
    "typ: null": Hostile(Rule.BAD_TYPE, lambda: app(header={"typ": None})),
    "typ: a list": Hostile(Rule.BAD_TYPE, lambda: app(header={"typ": ["JWT"]})),
    "typ: of the outer token": Hostile(Rule.BAD_TYPE, lambda: user(header={"typ": "JWE"})),
    "typ: of the actor token": Hostile(Rule.BAD_TYPE, lambda: user(inner=actor(header={"typ": "dpop+jwt"}))),
    "alg: HS256 with the public key, PEM": Hostile(Rule.ALGORITHM, lambda: _hmac(_public(Encoding.PEM))),
    "alg: HS256 with the public key, DER": Hostile(Rule.ALGORITHM, lambda: _hmac(_public(Encoding.DER))),
    "alg: HS256 with the public key, PKCS 1": Hostile(
        Rule.ALGORITHM, lambda: _hmac(_public(Encoding.PEM, PublicFormat.PKCS1))
    ),
    "alg: HS256 with the certificate, DER": Hostile(Rule.ALGORITHM, lambda: _hmac(certificate("lync"))),
    "alg: HS256 with the certificate, PEM": Hostile(Rule.ALGORITHM, lambda: _hmac(_pem(certificate("lync")))),
    "alg: HS256 with nothing": Hostile(Rule.ALGORITHM, lambda: _hmac(b"")),
    "alg: HS512 with the public key": Hostile(Rule.ALGORITHM, lambda: _hmac(_public(Encoding.PEM), "HS512", "sha512")),
    "alg: RS384": Hostile(Rule.ALGORITHM, lambda: _rsa("RS384", hashes.SHA384())),
    "alg: RS512": Hostile(Rule.ALGORITHM, lambda: _rsa("RS512", hashes.SHA512())),
    "alg: PS256": Hostile(Rule.ALGORITHM, lambda: _rsa("PS256", hashes.SHA256(), pss=True)),
    "alg: ES256": Hostile(Rule.ALGORITHM, _ecdsa),
    "alg: EdDSA": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": "EdDSA"})),
    "alg: RS1": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": "RS1"})),
    "alg: lower case": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": "rs256"})),
    "alg: a space behind": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": "RS256 "})),
    "alg: a NUL behind": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": "RS256\0"})),
    "alg: full-width digits": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": "RS２５６"})),
    "alg: Cyrillic letter": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": "RЅ256"})),
    "alg: Cyrillic none": Hostile(Rule.ALGORITHM, lambda: user(header={"alg": "nоne"})),
    "alg: None": Hostile(Rule.ALGORITHM, lambda: user(header={"alg": "None"})),
    "alg: NONE": Hostile(Rule.ALGORITHM, lambda: user(header={"alg": "NONE"})),
    "alg: nOnE": Hostile(Rule.ALGORITHM, lambda: _unsigned(app_header({"alg": "nOnE"}))),
    "alg: null": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": None})),
    "alg: empty": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": ""})),
    "alg: absent": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": ABSENT})),
    "alg: a list": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": ["RS256"]})),
    "alg: a list of none": Hostile(Rule.ALGORITHM, lambda: user(header={"alg": ["none"]})),
    "alg: a number": Hostile(Rule.ALGORITHM, lambda: app(header={"alg": 256})),
    "alg: HS256 in the actor token": Hostile(Rule.ALGORITHM, lambda: user(inner=_hmac(_public(Encoding.PEM)))),
    "alg: RS384 in the actor token": Hostile(Rule.ALGORITHM, lambda: user(inner=_rsa("RS384", hashes.SHA384()))),
    "alg: an empty header": Hostile(Rule.ALGORITHM, lambda: signed({}, app_claims())),
    "none: an app-only token": Hostile(Rule.UNSIGNED, lambda: _unsigned({"typ": "JWT", "alg": "none"})),
    "none: an app-only token with its signature": Hostile(Rule.UNSIGNED, lambda: app(header={"alg": "none"})),
    "none: an app-only token with a thumbprint": Hostile(Rule.UNSIGNED, lambda: _unsigned(app_header({"alg": "none"}))),
    "none: a user token with a signature": Hostile(Rule.UNSIGNED, lambda: user() + encode(b"signature")),
    "none: a user token that is signed": Hostile(
        Rule.UNSIGNED, lambda: signed({"typ": "JWT", "alg": "none"}, user_claims())
    ),
    "none: an outer token with x5t": Hostile(
        Rule.UNSIGNED, lambda: user(header={"x5t": thumbprint(certificate("lync"))})
    ),
    "none: an outer token with kid": Hostile(
        Rule.UNSIGNED, lambda: user(header={"kid": thumbprint(certificate("lync"))})
    ),
    "none: an outer token with an empty kid": Hostile(Rule.UNSIGNED, lambda: user(header={"kid": ""})),
    "none: an outer token without an actor": Hostile(Rule.UNSIGNED, lambda: user({"actortoken": ABSENT})),
    "none: an outer token with a null actor": Hostile(Rule.UNSIGNED, lambda: user({"actortoken": None})),
    "none: an outer token with actor in place of actortoken": Hostile(
        Rule.UNSIGNED, lambda: user({"actortoken": ABSENT, "actor": actor()})
    ),
    "none: an actor token": Hostile(Rule.UNSIGNED, lambda: user(inner=_unsigned({"alg": "none"}))),
    "none: a user token as the actor of another": Hostile(Rule.UNSIGNED, lambda: user(inner=user())),
    "none: actors three deep": Hostile(Rule.UNSIGNED, lambda: user(inner=user(inner=user()))),
    "none: claims that are empty": Hostile(Rule.UNSIGNED, lambda: raw({"alg": "none"}, {})),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str) -> None:
    assert_refused(CASES[name])
