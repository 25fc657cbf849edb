"""Certificates and metadata documents made at run time, good ones and others, for tests of whom to trust."""

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from consumers.tokens.partner import PartnerApplication, PartnerKey
from consumers.tokens.published_keys import thumbprint
from tests.support.clock import START
from tests.support.trust import PARTNER

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

YEAR: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """A private key and the certificate that it signed for itself."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """The certificate, DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def published(self) -> PartnerKey:
        """The certificate as a partner's key."""
        return PartnerKey(thumbprint(self.der), self.der)


@cache
def rsa_key(bits: int = 2048, exponent: int = 65537, number: int = 1) -> rsa.RSAPrivateKey:
    """Return a key, the same for the same arguments: making one takes a while."""
    return rsa.generate_private_key(public_exponent=exponent, key_size=bits)


def self_signed(
    key: PrivateKey | None = None, begins: datetime = START - YEAR, ends: datetime = START + YEAR
) -> SelfSigned:
    """Return a certificate of contoso.example and 127.0.0.1."""
    key = key or rsa_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "contoso.example")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    )
    return SelfSigned(key, builder.sign(key, hashes.SHA256()))


def key_document(signer: SelfSigned, **keyinfo: str) -> dict[str, Any]:
    """Return the signer's entry in a metadata document (domain reference, section 5.5)."""
    return {
        "usage": "signing",
        "keyinfo": {"x5t": signer.published.x5t, **keyinfo},
        "keyvalue": {"type": "x509Certificate", "value": b64encode(signer.der).decode()},
    }


def metadata(*keys: dict[str, Any], partner: PartnerApplication = PARTNER, **other: Any) -> dict[str, Any]:
    """Return the partner's metadata document with these keys, `other` in place of what is the partner's."""
    return {
        "id": "_5a1f5c0e-6e0b-4f7e-9d0b-0f8f3a3e7d10",
        "version": "1.0",
        "name": "Lync",
        "realm": partner.principal.realm,
        "serviceName": partner.principal.application,
        "issuer": str(partner.principal),
        "allowedAudiences": [str(partner.principal)],
        "keys": list(keys),
        "endpoints": [{"location": partner.metadata_url, "protocol": "OAuth2", "usage": "metadata"}],
        **other,
    }


def content_of(document: dict[str, Any]) -> bytes:
    """Return the document as it is served."""
    return json.dumps(document).encode()
