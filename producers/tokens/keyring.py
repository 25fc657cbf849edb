"""The issuer's keys: current, previous and next, and when next becomes current (domain reference, section 5.6).

All that is published is all three: partners know the next key before anything is signed with it, and the previous one
while tokens that it signed may still live. The keys are one file, so that a roll-over happens whole or not at all.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from producers.tokens.certificate import SigningKey, from_pem, make_key, to_pem
from producers.tokens.secret_file import read_secret, write_secret
from schemas.clock import Clock
from schemas.errors import Misconfigured

LEAD_S: Final = 24 * 3600
"""How long before it signs a key is published: partners keep what they read for up to that long."""

FILE: Final = "keys.json"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys as of some moment; `effective_at` (aware) is when `following` becomes `current`."""

    current: SigningKey
    previous: SigningKey | None = None
    following: SigningKey | None = None
    effective_at: datetime | None = None

    @property
    def published(self) -> tuple[SigningKey, ...]:
        """All keys that partners are to know, current first."""
        return tuple(key for key in (self.current, self.previous, self.following) if key is not None)

    def at(self, now: datetime) -> "Keys":
        """Return the keys as they are at `now`: a following key whose time has come is current."""
        if self.following is None or self.effective_at is None or now < self.effective_at:
            return self
        return Keys(self.following, previous=self.current)

    def rolled(self, following: SigningKey, effective_at: datetime) -> "Keys":
        """Return the keys with a following one; one that was waiting is dropped, for it never signed."""
        return Keys(self.current, self.previous, following, effective_at)


class Keyring:
    """The keys in a folder, which several processes may use at once."""

    def __init__(self, folder: Path, sip_domain: str, clock: Clock) -> None:
        self._file = folder / FILE
        self._sip_domain = sip_domain
        self._clock = clock
        self._kept: tuple[tuple[int, int], Keys] | None = None

    def keys(self) -> Keys:
        """Return the keys as they are now; the first time ever, make them.

        Raises Misconfigured where the file is not its owner's alone, or is damaged.
        """
        if not self._file.exists():
            with self._locked():
                if not self._file.exists():
                    self._write(Keys(make_key(self._sip_domain, self._clock.now())))
        return self._read().at(self._clock.now())

    def roll(self, effective_at: datetime, *, lead_s: float = LEAD_S) -> Keys:
        """Make the following key, which signs from `effective_at` on, and return the keys.

        Raises Misconfigured where that is sooner than `lead_s` from now: partners could not know the key by then.
        """
        if effective_at < self._clock.now() + timedelta(seconds=lead_s):
            raise Misconfigured(f"a new key must be published {lead_s / 3600:.0f} h before it signs")
        self.keys()
        with self._locked():
            now = self._clock.now()
            keys = self._read().at(now).rolled(make_key(self._sip_domain, now), effective_at)
            self._write(keys)
        return keys.at(self._clock.now())

    def _read(self) -> Keys:
        """Read the file where it has changed; reading keys is slow, and the issuer asks for each token."""
        text = read_secret(self._file)
        state = self._file.stat()
        version = (state.st_mtime_ns, state.st_ino)
        if self._kept is None or self._kept[0] != version:
            self._kept = version, _keys_of(text, self._file)
        return self._kept[1]

    def _write(self, keys: Keys) -> None:
        document = {
            "current": to_pem(keys.current).decode(),
            "previous": to_pem(keys.previous).decode() if keys.previous else None,
            "following": to_pem(keys.following).decode() if keys.following else None,
            "effective_at": keys.effective_at.isoformat() if keys.effective_at else None,
        }
        write_secret(self._file, json.dumps(document).encode())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._file.parent / "keys.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _keys_of(text: bytes, file: Path) -> Keys:
    try:
        document = json.loads(text)
        names = ("current", "previous", "following")
        current, previous, following = (document[name] and from_pem(document[name].encode()) for name in names)
        at = document["effective_at"]
        return Keys(current, previous, following, at and datetime.fromisoformat(at))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Misconfigured(f"{file} does not hold an issuer's keys") from error
