"""Signing and checking with Ed25519 (RFC 8032): fast enough for every commit, and checked by whoever has the key."""

import hashlib
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.errors import Misconfigured


class Ed25519Signer:
    """The `Signer` with a private key. `public` is its public half (32 bytes), `public_pem` the same to hand out."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw()
        self.public_pem = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.key = key_name(self.public)

    def sign(self, digest: bytes) -> bytes:
        return self._private.sign(digest)


class Ed25519Checker:
    """The `Checker` of some public keys (32 bytes each)."""

    def __init__(self, public: Iterable[bytes]) -> None:
        self._keys = {key_name(key): Ed25519PublicKey.from_public_bytes(key) for key in public}

    def holds(self, key: str, digest: bytes, signature: bytes) -> bool:
        known = self._keys.get(key)
        if known is None:
            return False
        try:
            known.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


def key_name(public: bytes) -> str:
    """Return the name of a public key: SHA-256 in hexadecimal."""
    return hashlib.sha256(public).hexdigest()


def new_key() -> bytes:
    """Return a new private key (PEM, PKCS 8): a secret."""
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_signer(pem: bytes) -> Ed25519Signer:
    """Return the signer with this private key. Raises Misconfigured."""
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Misconfigured("the audit key is not a private key in PEM without a password") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise Misconfigured("the audit key is no Ed25519 key")
    return Ed25519Signer(private)


def read_public(pem: bytes) -> bytes:
    """Return a public key (32 bytes) from PEM. Raises Misconfigured."""
    try:
        public = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Misconfigured("an audit key is not a public key in PEM") from error
    if not isinstance(public, Ed25519PublicKey):
        raise Misconfigured("an audit key is no Ed25519 key")
    return public.public_bytes_raw()
