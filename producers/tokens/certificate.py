"""Certificates that the issuer signs with: self-signed, RSA, for the organisation's SIP domain (domain
reference, section 5.1).
"""

import hashlib
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

KEY_BITS: Final = 2048
"""What Lync asks for at least, and all that RS256 needs (RFC 7518, section 3.3)."""

LIFE_DAYS: Final = 5 * 365
"""As long as Exchange's own self-signed authentication certificate lives (domain reference, section 5.1)."""

BACKDATED_S: Final = 300
"""A certificate is good a little before it is made: other machines' clocks may be behind."""


class SigningKey(NamedTuple):
    """A private key and its certificate; `x5t` is the certificate's SHA-1 thumbprint, base64url without padding."""

    private: rsa.RSAPrivateKey
    certificate: bytes
    x5t: str


def make_key(sip_domain: str, now: datetime) -> SigningKey:
    """Return a new key with a certificate whose subject is the SIP domain."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, sip_domain)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(seconds=BACKDATED_S))
        .not_valid_after(now + timedelta(days=LIFE_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(sip_domain)]), critical=False)
        .sign(private, hashes.SHA256())
    )
    der = certificate.public_bytes(Encoding.DER)
    return SigningKey(private, der, thumbprint(der))


def thumbprint(certificate: bytes) -> str:
    """Return a certificate's `x5t` (RFC 7515, section 4.1.7)."""
    digest = hashlib.sha1(certificate, usedforsecurity=False).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def to_pem(key: SigningKey) -> bytes:
    """Return key and certificate as one PEM text. A secret."""
    private = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + x509.load_der_x509_certificate(key.certificate).public_bytes(Encoding.PEM)


def from_pem(text: bytes) -> SigningKey:
    """Return the key of such a text. Raises ValueError for any other."""
    try:
        private = load_pem_private_key(text, password=None)
        certificate = x509.load_pem_x509_certificate(text)
    except (TypeError, UnsupportedAlgorithm) as error:  # encrypted, or of a kind that is not known
        raise ValueError("the key cannot be read") from error
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < KEY_BITS:
        raise ValueError(f"the key is not RSA of {KEY_BITS} bits or more")
    if certificate.public_key() != private.public_key():
        raise ValueError("key and certificate do not belong together")
    der = certificate.public_bytes(Encoding.DER)
    return SigningKey(private, der, thumbprint(der))
