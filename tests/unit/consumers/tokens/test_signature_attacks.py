"""Tokens by others than they say, and by keys that are not, or no longer, good."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from consumers.tokens.partner import PartnerKey
from consumers.tokens.rules import Rule
from tests.support.hostile import Hostile, assert_refused
from tests.support.tokens import (
    ABSENT,
    FABRIKAM_ID,
    LYNC_ID,
    NOW,
    SECONDS,
    SHAREPOINT_ID,
    World,
    actor,
    app,
    app_claims,
    app_header,
    certificate,
    encode,
    lync_world,
    private_key,
    raw,
    signed,
    thumbprint,
    user,
    world,
)

RSA_OID: Final = bytes.fromhex("2a864886f70d010101")


@cache
def _elliptic() -> bytes:
    """A certificate of a key on a curve."""
    return _issued(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())


@cache
def _edwards() -> bytes:
    """A certificate of a key that has no size."""
    return _issued(ed25519.Ed25519PrivateKey.generate(), None)


def _issued(key: Any, digest: hashes.SHA256 | None) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "contoso.example")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW.replace(year=2025), NOW.replace(year=2027))
    return builder.sign(key, digest).public_bytes(Encoding.DER)


def _published(der: bytes) -> World:
    """A world where Lync publishes this under its usual thumbprint."""
    key = PartnerKey(thumbprint(certificate("lync")), der)
    return replace(world(), partners=(replace(world().partners[-1], keys=(key,)),))


def _edited(old: bytes, new: bytes) -> bytes:
    """The usual certificate with some bytes exchanged: the signature on it is not what it is trusted by."""
    return certificate("lync").replace(old, new, 1)


def _weak() -> str:
    return signed(app_header({"x5t": thumbprint(certificate("weak", 1024))}), app_claims(), "weak", 1024)


def _named(**header: object) -> Callable[[], str]:
    return lambda: app(header=header)


def _pss() -> str:
    """The right key and hash and another padding than the header says."""
    text = raw(app_header(), app_claims())[:-1]
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return f"{text}.{encode(private_key('lync').sign(text.encode(), scheme, hashes.SHA256()))}"


def _grafted(claims: dict[str, str]) -> str:
    """The signature of one token under the claims of another."""
    return f"{raw(app_header(), app_claims(claims))[:-1]}.{app().split('.')[2]}"


def _resigned(signature: bytes) -> Callable[[], str]:
    return lambda: raw(app_header(), app_claims(), signature)


def _reordered() -> str:
    """The same header in another order, so another text, under the signature of the first."""
    header = dict(reversed(app_header().items()))
    return f"{raw(header, app_claims())[:-1]}.{app().split('.')[2]}"


def _expired(hours: int) -> bytes:
    return certificate("lync", ends_h=hours)


def _by(der: bytes) -> str:
    return signed(app_header({"x5t": thumbprint(der)}), app_claims())


def _beyond(value: int) -> bytes:
    """A signature as long as the key, of a number that is not below its modulus."""
    return value.to_bytes(256, "big")


CASES: Final[dict[str, Hostile]] = {
    "iss: a stranger": Hostile(Rule.UNKNOWN_ISSUER, lambda: app({"iss": "x@contoso.example"})),
    "iss: of another realm": Hostile(Rule.UNKNOWN_ISSUER, lambda: app({"iss": LYNC_ID.replace("contoso", "tailspin")})),
    "iss: realm in capitals": Hostile(Rule.UNKNOWN_ISSUER, lambda: app({"iss": LYNC_ID.replace("contoso", "CONTOSO")})),
    "iss: application id in capitals": Hostile(
        Rule.UNKNOWN_ISSUER, lambda: app({"iss": LYNC_ID.replace("ff1-ce", "FF1-CE")})
    ),
    "iss: without a realm": Hostile(Rule.UNKNOWN_ISSUER, lambda: app({"iss": LYNC_ID.split("@")[0]})),
    "iss: the star realm": Hostile(Rule.UNKNOWN_ISSUER, lambda: app({"iss": LYNC_ID.split("@")[0] + "@*"})),
    "iss: a dot behind": Hostile(Rule.UNKNOWN_ISSUER, lambda: app({"iss": f"{LYNC_ID}."})),
    "iss: a realm that begins like ours": Hostile(
        Rule.UNKNOWN_ISSUER, lambda: app({"iss": f"{LYNC_ID}.attacker.example"})
    ),
    "iss: two realms": Hostile(Rule.UNKNOWN_ISSUER, lambda: app({"iss": f"{LYNC_ID}@attacker.example"})),
    "iss: a metadata address": Hostile(
        Rule.UNKNOWN_ISSUER, lambda: app({"iss": "https://attacker.example/metadata/json/1"})
    ),
    "iss: ourselves": Hostile(Rule.UNKNOWN_ISSUER, lambda: app({"iss": LYNC_ID.replace("00000004", "00000002")})),
    "iss: a stranger's actor": Hostile(
        Rule.UNKNOWN_ISSUER, lambda: user(inner=actor({"iss": "x@y"}, signer="stranger"))
    ),
    "iss: nobody is trusted": Hostile(Rule.UNKNOWN_ISSUER, app, lambda: replace(world(), partners=())),
    "kid: another than x5t": Hostile(Rule.KEY_MISMATCH, _named(kid="another")),
    "kid: the other key of the partner": Hostile(
        Rule.KEY_MISMATCH, lambda: app(header={"kid": thumbprint(certificate("previous"))})
    ),
    "kid: null": Hostile(Rule.KEY_MISMATCH, _named(kid=None)),
    "kid: a path": Hostile(Rule.KEY_MISMATCH, _named(kid="../../../../dev/null")),
    "kid: an SQL quotation": Hostile(Rule.KEY_MISMATCH, _named(kid="' OR 1=1 --")),
    "kid: an operator of the database": Hostile(Rule.KEY_MISMATCH, _named(kid={"$ne": ""})),
    "kid: a command": Hostile(Rule.KEY_MISMATCH, _named(kid="|/bin/true")),
    "kid: in place of x5t": Hostile(
        Rule.KEY_MISMATCH, lambda: app(header={"kid": thumbprint(certificate("lync")), "x5t": ABSENT})
    ),
    "x5t: absent": Hostile(Rule.UNKNOWN_KEY, _named(x5t=ABSENT)),
    "x5t: null": Hostile(Rule.UNKNOWN_KEY, _named(x5t=None)),
    "x5t: empty": Hostile(Rule.UNKNOWN_KEY, _named(x5t="")),
    "x5t: a path": Hostile(Rule.UNKNOWN_KEY, _named(x5t="../../../../dev/null")),
    "x5t: an address": Hostile(Rule.UNKNOWN_KEY, _named(x5t="https://attacker.example/x")),
    "x5t: a path, and kid": Hostile(Rule.UNKNOWN_KEY, _named(x5t="/dev/null", kid="/dev/null")),
    "x5t: an operator of the database": Hostile(Rule.UNKNOWN_KEY, _named(x5t={"$gt": ""})),
    "x5t: a list of the right one": Hostile(
        Rule.UNKNOWN_KEY, lambda: app(header={"x5t": [thumbprint(certificate("lync"))]})
    ),
    "x5t: the right one, padded": Hostile(
        Rule.UNKNOWN_KEY, lambda: app(header={"x5t": thumbprint(certificate("lync")) + "="})
    ),
    "x5t: the right one in lower case": Hostile(
        Rule.UNKNOWN_KEY, lambda: app(header={"x5t": thumbprint(certificate("lync")).lower()})
    ),
    "x5t: zero": Hostile(Rule.UNKNOWN_KEY, _named(x5t=0)),
    "key: a stranger's": Hostile(Rule.UNKNOWN_KEY, lambda: app(signer="stranger")),
    "key: another partner's": Hostile(Rule.UNKNOWN_KEY, lambda: app(signer="fabrikam")),
    "key: another application's of the realm": Hostile(Rule.UNKNOWN_KEY, lambda: app(signer="sharepoint")),
    "key: ours for another partner": Hostile(
        Rule.UNKNOWN_KEY, lambda: app({"iss": FABRIKAM_ID, "nameid": FABRIKAM_ID})
    ),
    "key: ours for SharePoint": Hostile(Rule.UNKNOWN_KEY, lambda: app({"iss": SHAREPOINT_ID, "nameid": SHAREPOINT_ID})),
    "key: retired": Hostile(Rule.UNKNOWN_KEY, lambda: app(signer="previous"), lync_world),
    "key: none are published": Hostile(
        Rule.UNKNOWN_KEY,
        app,
        lambda: replace(world(), partners=tuple(replace(one, keys=()) for one in world().partners)),
    ),
    "key: a stranger's in the actor token": Hostile(Rule.UNKNOWN_KEY, lambda: user(inner=actor(signer="stranger"))),
    "key: retired, in the actor token": Hostile(
        Rule.UNKNOWN_KEY, lambda: user(inner=actor(signer="previous")), lync_world
    ),
    "key: weak": Hostile(Rule.UNUSABLE_KEY, _weak, lambda: lync_world(certificate("weak", 1024))),
    "key: its certificate has expired": Hostile(
        Rule.UNUSABLE_KEY, lambda: _by(_expired(-1)), lambda: lync_world(_expired(-1))
    ),
    "key: its certificate expires at this very second": Hostile(
        Rule.UNUSABLE_KEY, lambda: _by(_expired(0)), lambda: lync_world(_expired(0))
    ),
    "key: its certificate begins later": Hostile(
        Rule.UNUSABLE_KEY,
        lambda: _by(certificate("lync", begins_h=1)),
        lambda: lync_world(certificate("lync", begins_h=1)),
    ),
    "key: on a curve": Hostile(Rule.UNUSABLE_KEY, app, lambda: _published(_elliptic())),
    "key: of another kind": Hostile(Rule.UNUSABLE_KEY, app, lambda: _published(_edwards())),
    "key: of an unknown kind": Hostile(
        Rule.UNUSABLE_KEY, app, lambda: _published(_edited(RSA_OID, RSA_OID[:-1] + b"\x7f"))
    ),
    "key: an even exponent": Hostile(
        Rule.UNUSABLE_KEY, app, lambda: _published(_edited(b"\x02\x03\x01\x00\x01", b"\x02\x03\x01\x00\x00"))
    ),
    "key: an exponent of one": Hostile(
        Rule.UNUSABLE_KEY, app, lambda: _published(_edited(b"\x02\x03\x01\x00\x01", b"\x02\x03\x00\x00\x01"))
    ),
    "key: a certificate of version 10": Hostile(
        Rule.UNUSABLE_KEY, app, lambda: _published(_edited(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09"))
    ),
    "key: no certificate": Hostile(Rule.UNUSABLE_KEY, app, lambda: _published(b"")),
    "key: a certificate that is none": Hostile(Rule.UNUSABLE_KEY, app, lambda: _published(b"certificate")),
    "key: a certificate cut short": Hostile(Rule.UNUSABLE_KEY, app, lambda: _published(certificate("lync")[:-9])),
    "signature: a stranger's under our thumbprint": Hostile(
        Rule.BAD_SIGNATURE, lambda: signed(app_header(), app_claims(), "stranger")
    ),
    "signature: another partner's under our thumbprint": Hostile(
        Rule.BAD_SIGNATURE, lambda: signed(app_header(), app_claims(), "fabrikam")
    ),
    "signature: the previous key's under the current thumbprint": Hostile(
        Rule.BAD_SIGNATURE, lambda: signed(app_header(), app_claims(), "previous")
    ),
    "signature: none": Hostile(Rule.BAD_SIGNATURE, _resigned(b"")),
    "signature: zero": Hostile(Rule.BAD_SIGNATURE, _resigned(_beyond(0))),
    "signature: one": Hostile(Rule.BAD_SIGNATURE, _resigned(_beyond(1))),
    "signature: above the modulus": Hostile(Rule.BAD_SIGNATURE, _resigned(_beyond(2**2048 - 1))),
    "signature: a byte short": Hostile(Rule.BAD_SIGNATURE, _resigned(b"\1" * 255)),
    "signature: a byte long": Hostile(Rule.BAD_SIGNATURE, _resigned(b"\1" * 257)),
    "signature: twice the length": Hostile(Rule.BAD_SIGNATURE, _resigned(b"\1" * 512)),
    "signature: PSS padding": Hostile(Rule.BAD_SIGNATURE, _pss),
    "signature: of other claims": Hostile(Rule.BAD_SIGNATURE, lambda: _grafted({"exp": str(SECONDS + 7200)})),
    "signature: of another user of the key": Hostile(
        Rule.BAD_SIGNATURE, lambda: _grafted({"trustedfordelegation": "true"})
    ),
    "signature: of the header in another order": Hostile(Rule.BAD_SIGNATURE, _reordered),
    "signature: of the actor token is gone": Hostile(
        Rule.BAD_SIGNATURE, lambda: user(inner=actor().rpartition(".")[0] + ".")
    ),
    "signature: of an app-only token, delegation added": Hostile(
        Rule.BAD_SIGNATURE, lambda: user(inner=_grafted({"trustedfordelegation": "true"}))
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str) -> None:
    assert_refused(CASES[name])
