"""The key that signs an archive's journal: where it is, and that the local stack has one."""

from pathlib import Path
from typing import Final

from consumers.audit.ed25519 import Ed25519Checker, Ed25519Signer, new_key, read_public, read_signer
from deploy.settings import Settings
from producers.tokens.secret_file import locked, read_secret, write_secret
from schemas.errors import Misconfigured

_FOLDER: Final = "audit"
_FILE: Final = "key.pem"


def signer_of(settings: Settings) -> Ed25519Signer:
    """Return who signs: with the key that is set, else with the local stack's, which is made on its first use.

    Raises Misconfigured where the key cannot be read, or others than its owner may read it.
    """
    if settings.audit.key is not None:
        return read_signer(read_secret(settings.audit.key))
    file = settings.stack.data / _FOLDER / _FILE
    with locked(file.parent):
        if not file.exists():
            write_secret(file, new_key())
        return read_signer(read_secret(file))


def checker_of(settings: Settings) -> Ed25519Checker:
    """Return who knows the keys that may have signed: those that are set, else that of this archiver.

    Raises Misconfigured where one cannot be read.
    """
    files = settings.audit.public_keys
    if files:
        return Ed25519Checker([read_public(_read(file)) for file in files])
    return Ed25519Checker([signer_of(settings).public])


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Misconfigured(f"the audit key {file} cannot be read: {error.strerror}") from error
