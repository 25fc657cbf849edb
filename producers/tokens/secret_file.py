"""Files that hold a secret: for their owner alone, written whole or not at all."""

import os
from pathlib import Path
from typing import Final

from schemas.errors import Misconfigured

_OTHERS: Final = 0o077


def read_secret(file: Path) -> bytes:
    """Return what a secret file holds. Raises Misconfigured where it is absent or others than its owner may use it."""
    try:
        if file.stat().st_mode & _OTHERS:
            raise Misconfigured(f"{file} holds a secret and others than its owner may use it: chmod 600 {file}")
        return file.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}") from error


def write_secret(file: Path, content: bytes) -> None:
    """Write a secret file, replacing one that is there; its folder is made for its owner alone."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
