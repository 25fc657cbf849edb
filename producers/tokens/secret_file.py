"""Files that hold a secret: for their owner alone, written whole or not at all."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from schemas.errors import Misconfigured

_OTHERS: Final = 0o077
_LOCK: Final = "lock"


def read_secret(file: Path) -> bytes:
    """Return what a secret file holds. Raises Misconfigured where it is absent or others than its owner may use it."""
    try:
        if file.stat().st_mode & _OTHERS:
            raise Misconfigured(f"{file} holds a secret and others than its owner may use it: chmod 600 {file}")
        return file.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}") from error


def write_secret(file: Path, content: bytes) -> None:
    """Write a secret file, replacing one that is there; a reader sees all of the one or of the other.

    Raises Misconfigured where its folder cannot be written, or others than its owner may use that.
    """
    make_private(file.parent)
    try:
        descriptor, name = mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600, a name nobody else has
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise Misconfigured(f"{file} cannot be written: {error.strerror}") from error


def make_private(folder: Path) -> None:
    """Make a folder for its owner alone, unless it is there. Raises Misconfigured where others may use it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
    except OSError as error:
        raise Misconfigured(f"{folder} cannot be made: {error.strerror}") from error
    if mode & _OTHERS:
        raise Misconfigured(f"{folder} holds secrets and others than its owner may use it: chmod 700 {folder}")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes and threads out of a private folder, which is made first. Raises as `make_private` does."""
    make_private(folder)
    with (folder / _LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
