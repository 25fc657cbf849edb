"""Which keys a partner's metadata document publishes, and whether it is that partner's document at all. Pure."""

import hashlib
from base64 import b64decode, urlsafe_b64encode
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from consumers.grant import GrantRefused
from consumers.tokens.partner import PartnerApplication, PartnerKey
from consumers.tokens.signature import KEY_BITS_MIN
from schemas.metadata import Key, MetadataDocument

ANY_REALM = "*"
"""A document may be for tokens of every realm (domain reference, section 5.5)."""


class MetadataRule(StrEnum):
    """Why a metadata document is not used. Shown and documented, so a member is never renamed."""

    ADDRESS = "metadata-address"
    REDIRECT = "metadata-redirect"
    STATUS = "metadata-status"
    CONTENT_TYPE = "metadata-content-type"
    TOO_LARGE = "metadata-too-large"
    MALFORMED = "metadata-malformed"
    FOREIGN = "metadata-foreign"
    FORGED_KEY = "metadata-forged-key"
    WEAK_KEY = "metadata-weak-key"
    NO_KEY = "metadata-no-key"


class MetadataRefused(GrantRefused):
    """A partner's metadata document is not used; `rule` says why. The message repeats nothing that it says."""

    def __init__(self, rule: MetadataRule, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule


def published_keys(document: MetadataDocument, partner: PartnerApplication, now: datetime) -> tuple[PartnerKey, ...]:
    """Return the keys of the partner's document that are good now. Raises MetadataRefused.

    The document must be the partner's own: a stranger's keys under the partner's address would sign for it.
    """
    principal = partner.principal
    if (document.serviceName, document.issuer) != (principal.application, str(principal)):
        raise MetadataRefused(MetadataRule.FOREIGN, f"the document is not that of {partner.name}")
    if document.realm not in {principal.realm, ANY_REALM}:
        raise MetadataRefused(MetadataRule.FOREIGN, f"the document is not for the realm of {partner.name}")
    keys = [key for key in (_key(published, now) for published in document.keys) if key is not None]
    if len({key.x5t for key in keys}) != len(keys):
        raise MetadataRefused(MetadataRule.FORGED_KEY, "a thumbprint stands twice")
    if not keys:
        raise MetadataRefused(MetadataRule.NO_KEY, "the document publishes no key that is good now")
    return tuple(keys)


def _key(published: Key, now: datetime) -> PartnerKey | None:
    """Return the key, or None where its certificate is not valid now; a key that lies about itself is refused."""
    try:
        der = b64decode(published.keyvalue.value, validate=True)
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise MetadataRefused(MetadataRule.FORGED_KEY, "a certificate cannot be read") from error
    thumbprint = urlsafe_b64encode(hashlib.sha1(der, usedforsecurity=False).digest()).rstrip(b"=").decode()
    if thumbprint != published.keyinfo.x5t:
        raise MetadataRefused(MetadataRule.FORGED_KEY, "a thumbprint is not that of its certificate")
    if not isinstance(key, RSAPublicKey) or key.key_size < KEY_BITS_MIN:
        raise MetadataRefused(MetadataRule.WEAK_KEY, f"a key is not RSA of {KEY_BITS_MIN} bits or more")
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        return None
    return PartnerKey(thumbprint, der)
