"""What a metadata document proves: that it is the partner's, and which keys the partner signs with now."""

import hashlib
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import datetime
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate, InvalidVersion, load_der_x509_certificate

from consumers.tokens.metadata_rules import MetadataRefused, MetadataRule
from consumers.tokens.partner import PartnerApplication, PartnerKey
from consumers.tokens.signature import KEY_BITS_MIN
from schemas.metadata import MetadataDocument

KEY_BITS_MAX: Final = 8192
"""Checking one signature stays below a few milliseconds; nobody publishes more."""

EXPONENT_MIN: Final = 65537
"""The smallest that FIPS 186-5, section 5.1, allows; smaller ones have a history of forged signatures."""

EXPONENT_MAX: Final = 2**32
"""Every known issuer has 65537; a huge one only makes checking slow."""

ANY_REALM: Final = "*"


def published_keys(document: MetadataDocument, partner: PartnerApplication, now: datetime) -> tuple[PartnerKey, ...]:
    """Return the keys that the partner signs with at `now` (aware), in the document's order.

    The document is the partner's: its service name and issuer are those of the principal, its realm too, or any. Each
    thumbprint is that of its certificate and stands once. A certificate outside of its validity is passed over, so
    that a key that is kept for too long, or published ahead of its time, stops nothing. Raises MetadataRefused, with
    the rule that is broken.
    """
    _check_identity(partner, document)
    thumbprints = [key.keyinfo.x5t for key in document.keys]
    if len(set(thumbprints)) != len(thumbprints):
        raise MetadataRefused(MetadataRule.REPEATED_KEY, "one thumbprint stands twice")
    keys = []
    for place, key in enumerate(document.keys):
        der = _der(place, key.keyvalue.value)
        certificate = _certificate(place, der)
        if thumbprint(der) != key.keyinfo.x5t:
            raise MetadataRefused(MetadataRule.FORGED_KEY, f"the thumbprint of key {place} is not its certificate's")
        if certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
            _check_strength(place, certificate)
            keys.append(PartnerKey(key.keyinfo.x5t, der))
    if not keys:
        raise MetadataRefused(MetadataRule.NO_KEY, "no certificate is within its validity")
    return tuple(keys)


def thumbprint(der: bytes) -> str:
    """Return a certificate's `x5t`: base64url, without padding, of the SHA-1 of its DER (RFC 7515, section 4.1.7)."""
    return urlsafe_b64encode(hashlib.sha1(der, usedforsecurity=False).digest()).rstrip(b"=").decode()


def _check_identity(partner: PartnerApplication, document: MetadataDocument) -> None:
    """With case, as principals compare ([MS-XOAUTH] 3.2.5.6)."""
    expected = {
        "serviceName": document.serviceName == partner.principal.application,
        "issuer": document.issuer == str(partner.principal),
        "realm": document.realm in {partner.principal.realm, ANY_REALM},
    }
    wrong = [name for name, fits in expected.items() if not fits]
    if wrong:
        raise MetadataRefused(MetadataRule.FOREIGN, f"the document is not that of {partner.name}: {', '.join(wrong)}")


def _der(place: int, text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except NotBase64:
        raise MetadataRefused(MetadataRule.MALFORMED_KEY, f"key {place} is not base64") from None


def _certificate(place: int, der: bytes) -> Certificate:
    try:
        return load_der_x509_certificate(der)
    except (ValueError, InvalidVersion):
        raise MetadataRefused(MetadataRule.MALFORMED_KEY, f"key {place} is no X.509 certificate") from None


def _check_strength(place: int, certificate: Certificate) -> None:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise MetadataRefused(MetadataRule.MALFORMED_KEY, f"key {place} cannot be read") from None
    if not isinstance(key, RSAPublicKey):
        raise MetadataRefused(MetadataRule.WEAK_KEY, f"key {place} is not RSA")
    if not KEY_BITS_MIN <= key.key_size <= KEY_BITS_MAX:
        raise MetadataRefused(
            MetadataRule.WEAK_KEY, f"key {place} has {key.key_size} bits, not {KEY_BITS_MIN} to {KEY_BITS_MAX}"
        )
    exponent = key.public_numbers().e
    if not EXPONENT_MIN <= exponent < EXPONENT_MAX:
        raise MetadataRefused(MetadataRule.WEAK_KEY, f"key {place} has an exponent that is not taken")
