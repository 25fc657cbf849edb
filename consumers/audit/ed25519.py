"""Signing and checking with Ed25519 (RFC 8032): fast enough for every commit, and checked by whoever has the key."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.errors import Misconfigured

PRIVATE_MODE: Final = 0o600


class Ed25519Signer:
    """The `Signer` with a private key in a file (PEM, PKCS 8)."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw()
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


def make_key(path: Path) -> None:
    """Make a private key, which only its owner may read; one that is there stays."""
    private = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.touch(PRIVATE_MODE)
    part.chmod(PRIVATE_MODE)
    part.write_bytes(private)
    try:
        path.hardlink_to(part)
    except FileExistsError:
        pass
    finally:
        part.unlink()


def read_signer(path: Path) -> Ed25519Signer:
    """Return the signer of a file. Raises Misconfigured."""
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise Misconfigured(f"the audit key {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Misconfigured(f"the audit key {path} is not a private key in PEM") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise Misconfigured(f"the audit key {path} is no Ed25519 key")
    return Ed25519Signer(private)
