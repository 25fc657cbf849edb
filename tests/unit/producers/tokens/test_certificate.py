"""The certificates that the issuer signs with are what partners expect."""

import hashlib
from base64 import urlsafe_b64decode
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from producers.tokens.certificate import from_pem, to_pem
from tests.support.clock import START
from tests.support.signing import REALM, signing_key


def test_a_certificate_is_self_signed_for_the_sip_domain() -> None:
    """RSA of 2048 bits, the SIP domain as subject, good now and for five years."""
    key = signing_key(0)
    certificate = x509.load_der_x509_certificate(key.certificate)
    certificate.verify_directly_issued_by(certificate)
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == REALM
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    assert (public.key_size, public.public_numbers().e) == (2048, 65537)
    assert certificate.not_valid_before_utc == START - timedelta(seconds=300)
    assert certificate.not_valid_after_utc == START + timedelta(days=1825)


def test_the_thumbprint_is_of_bytes() -> None:
    """`x5t` is base64url of the 20 bytes of SHA-1 over the DER, and not of their hexadecimal text."""
    key = signing_key(0)
    assert len(key.x5t) == 27
    assert urlsafe_b64decode(f"{key.x5t}=") == hashlib.sha1(key.certificate, usedforsecurity=False).digest()


def test_a_key_comes_back_from_its_text() -> None:
    """Private key, certificate and thumbprint are the same."""
    key = signing_key(0)
    back = from_pem(to_pem(key))
    assert (back.certificate, back.x5t) == (key.certificate, key.x5t)
    assert back.private.private_numbers() == key.private.private_numbers()


def _certificate() -> bytes:
    return to_pem(signing_key(0)).partition(b"-----END PRIVATE KEY-----\n")[2]


def _private(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_other_keys_are_refused() -> None:
    """Short, of another kind, encrypted, of another certificate, and no key at all."""
    private = signing_key(0).private
    encrypted = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
    for bad in (
        _private(short),
        _private(ec.generate_private_key(ec.SECP256R1())),
        _private(signing_key(1).private),
        encrypted,
        b"",
    ):
        with pytest.raises(ValueError, match=r"key|PEM"):
            from_pem(bad + _certificate())
    with pytest.raises(ValueError, match="PEM"):
        from_pem(_private(private))
