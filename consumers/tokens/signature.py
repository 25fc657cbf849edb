"""The one door to PyJWT and certificates for checking: whether a key signed a token. The algorithm is ours to say."""

from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from consumers.tokens.rules import Rule, TokenRefused

ALGORITHM: Final = "RS256"
"""RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, section 3.3): what Lync and Exchange sign with. There is no other."""

KEY_BITS_MIN: Final = 2048
"""RFC 7518, section 3.3, and the certificate that Lync asks for (domain reference, section 5.1)."""


class _Certified(NamedTuple):
    """A certificate's key, and from when to when it may be used."""

    key: RSAPublicKey
    begins: datetime
    ends: datetime


def check_signature(text: str, certificate: bytes, now: datetime) -> datetime:
    """Return until when the key is good. Raises TokenRefused unless it is good now and signed the token's very text."""
    certified = _certified(certificate)
    if not certified.begins <= now < certified.ends:
        raise TokenRefused(Rule.UNUSABLE_KEY, "the certificate of the key is not valid at this time")
    try:
        jwt.PyJWS().decode(text, key=certified.key, algorithms=[ALGORITHM])
    except jwt.PyJWTError as error:
        raise TokenRefused(Rule.BAD_SIGNATURE, "the signature is not the key's") from error
    return certified.ends


@lru_cache(maxsize=64)
def _certified(certificate: bytes) -> _Certified:
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        key = parsed.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise TokenRefused(Rule.UNUSABLE_KEY, "the certificate of the key cannot be read") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < KEY_BITS_MIN:
        raise TokenRefused(Rule.UNUSABLE_KEY, f"the key is not RSA of {KEY_BITS_MIN} bits or more")
    return _Certified(key, parsed.not_valid_before_utc, parsed.not_valid_after_utc)
