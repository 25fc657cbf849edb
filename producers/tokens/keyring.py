"""The issuer's keys: current, previous and next, and when next becomes current (domain reference, section 5.6).

All of them are published: partners know the next key before anything is signed with it, and one that signs no more
while tokens that it signed may still live. They are one file, so that a roll-over happens whole or not at all.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from producers.tokens.certificate import SigningKey, from_pem, make_key, to_pem
from producers.tokens.secret_file import locked, make_private, read_secret, write_secret
from schemas.clock import Clock
from schemas.errors import Misconfigured
from schemas.metadata import KEYS_MAX

LEAD_S: Final = 24 * 3600
"""How long before it signs a key is published: partners keep what they read for up to that long."""

OVERLAP_S: Final = 12 * 3600
"""How long at least a key is published after it signed last: no token lives longer."""

FILE: Final = "keys.json"
_FOLDER: Final = "keys"


class RetiredKey(NamedTuple):
    """A key that signs no more, and since when (aware)."""

    key: SigningKey
    since: datetime


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys as of some moment; `effective_at` (aware) is when `following` becomes `current`.

    `retired` are the keys that signed before, the latest first. The latest is `previous` and stays until the next
    roll-over; others are there only where roll-overs follow each other faster than tokens end.
    """

    current: SigningKey
    retired: tuple[RetiredKey, ...] = ()
    following: SigningKey | None = None
    effective_at: datetime | None = None

    @property
    def previous(self) -> SigningKey | None:
        """The key that signed before the current one."""
        return self.retired[0].key if self.retired else None

    @property
    def published(self) -> tuple[SigningKey, ...]:
        """All keys that partners are to know: current, following, and those that signed before."""
        following = () if self.following is None else (self.following,)
        return self.current, *following, *(retired.key for retired in self.retired)

    def at(self, now: datetime) -> "Keys":
        """Return the keys as they are at `now`: a following key whose time has come is current."""
        keys = self
        if self.following is not None and self.effective_at is not None and now >= self.effective_at:
            keys = Keys(self.following, (RetiredKey(self.current, self.effective_at), *self.retired))
        latest, older = keys.retired[:1], keys.retired[1:]
        kept = tuple(retired for retired in older if now < retired.since + timedelta(seconds=OVERLAP_S))
        return replace(keys, retired=latest + kept)

    def rolled(self, following: SigningKey, effective_at: datetime) -> "Keys":
        """Return the keys with a following one; one that was waiting is dropped, for it never signed.

        Raises Misconfigured where more keys would have to be published than a metadata document holds.
        """
        keys = replace(self, following=following, effective_at=effective_at)
        if len(keys.published) > KEYS_MAX:
            raise Misconfigured(f"{KEYS_MAX} keys are published; roll over when tokens of the oldest have ended")
        return keys


class Keyring:
    """The keys in a folder, which several processes may use at once. That folder is for its owner alone."""

    def __init__(self, folder: Path, sip_domain: str, clock: Clock) -> None:
        self._folder = folder / _FOLDER
        self._file = self._folder / FILE
        self._sip_domain = sip_domain
        self._clock = clock
        self._kept: tuple[bytes, Keys] | None = None

    @property
    def made(self) -> bool:
        """Whether there are keys already."""
        return self._file.exists()

    def keys(self) -> Keys:
        """Return the keys as they are now; the first time ever, make them.

        Raises Misconfigured where folder or file are not their owner's alone, or the file is damaged.
        """
        make_private(self._folder)
        if not self._file.exists():
            with locked(self._folder):
                if not self._file.exists():
                    self._write(Keys(make_key(self._sip_domain, self._clock.now())))
        return self._read().at(self._clock.now())

    def roll(self, effective_at: datetime, *, lead_s: float = LEAD_S) -> Keys:
        """Make the following key, which signs from `effective_at` on, and return the keys.

        Raises Misconfigured where that is sooner than `lead_s` from now: partners could not know the key by then.
        """
        if effective_at < self._clock.now() + timedelta(seconds=lead_s):
            raise Misconfigured(f"a new key must be published {lead_s:.0f} s before it signs")
        self.keys()
        with locked(self._folder):
            now = self._clock.now()
            keys = self._read().at(now).rolled(make_key(self._sip_domain, now), effective_at)
            self._write(keys)
        return keys.at(self._clock.now())

    def _read(self) -> Keys:
        """Read the file, and its keys where it has changed: that is slow, and the issuer asks for each token."""
        text = read_secret(self._file)
        kept = self._kept
        if kept is None or kept[0] != text:
            self._kept = kept = text, _keys_of(text, self._file)
        return kept[1]

    def _write(self, keys: Keys) -> None:
        document = {
            "current": to_pem(keys.current).decode(),
            "retired": [{"key": to_pem(key).decode(), "since": since.isoformat()} for key, since in keys.retired],
            "following": to_pem(keys.following).decode() if keys.following else None,
            "effective_at": keys.effective_at.isoformat() if keys.effective_at else None,
        }
        write_secret(self._file, json.dumps(document).encode())


def _keys_of(text: bytes, file: Path) -> Keys:
    try:
        document = json.loads(text)
        retired = (RetiredKey(_key(one["key"]), _time(one["since"])) for one in document["retired"])
        following, at = document["following"], document["effective_at"]
        if (following is None) != (at is None):
            raise ValueError("a following key and its time do not go together")
        return Keys(
            _key(document["current"]), tuple(retired), following and _key(following), None if at is None else _time(at)
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Misconfigured(f"{file} does not hold an issuer's keys") from error


def _key(text: Any) -> SigningKey:
    return from_pem(text.encode())


def _time(text: Any) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without its zone")
    return time
