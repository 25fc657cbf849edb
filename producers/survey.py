"""What a recording holds, found in one reading with bounded memory, as far as the file can be read."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from producers.distinct import DistinctCount
from producers.people import people_of
from producers.recording import RecordedLine, Recording, RecordingDamaged
from schemas.record import Record
from schemas.times import format_time

PLACES_MAX: Final = 10_000
"""Partitions that are listed; the records of more are counted together, so that no file can fill the memory."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGEST: Final = "sha256"


@dataclass(slots=True)
class Survey:
    """Counts over a recording.

    `bytes` and `sha256` are those of the lines uncompressed, each with its LF. Conversations are different keys, users
    different addresses that events name. `undecodable` records carry no event of ours. Times are records' timestamps,
    Unix time in milliseconds; records without one (-1) do not count for them.
    """

    records: int = 0
    bytes: int = 0
    places: Counter[tuple[str, int]] = field(default_factory=Counter)
    unlisted: int = 0
    conversations: DistinctCount = field(default_factory=DistinctCount)
    users: DistinctCount = field(default_factory=DistinctCount)
    undecodable: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    damage: RecordingDamaged | None = None
    _lines: "hashlib._Hash" = field(default_factory=lambda: hashlib.new(_DIGEST))

    def add(self, found: RecordedLine) -> None:
        """Count one record."""
        line, record = found
        self.records += 1
        self.bytes += len(line) + 1
        self._lines.update(line)
        self._lines.update(b"\n")
        place = (record.topic, record.partition)
        if place in self.places or len(self.places) < PLACES_MAX:
            self.places[place] += 1
        else:
            self.unlisted += 1
        if record.key is not None:
            self.conversations.add(record.key)
        self._add_people(record)
        if record.timestamp_ms >= 0:
            self.first_ms = min(
                record.timestamp_ms, self.first_ms if self.first_ms is not None else record.timestamp_ms
            )
            self.last_ms = max(record.timestamp_ms, self.last_ms or 0)

    def _add_people(self, record: Record) -> None:
        people = people_of(record)
        if people is None:
            self.undecodable += 1
            return
        for address in people:
            self.users.add(address.encode())

    @property
    def sha256(self) -> str:
        """SHA-256 of the lines read, in hex: what `sha256sum` says of the unpacked file."""
        return self._lines.hexdigest()

    def document(self) -> dict[str, Any]:
        """Return the counts by name; times in RFC 3339, and in milliseconds where that has no word for them."""
        topics: dict[str, dict[str, int]] = {}
        for (topic, partition), count in sorted(self.places.items()):
            topics.setdefault(topic, {})[str(partition)] = count
        return {
            "records": self.records,
            "bytes": self.bytes,
            "topics": topics,
            "unlisted": self.unlisted,
            "conversations": self.conversations.count,
            "conversations_exact": self.conversations.exact,
            "users": self.users.count,
            "users_exact": self.users.exact,
            "undecodable": self.undecodable,
            "first_at": _time(self.first_ms),
            "last_at": _time(self.last_ms),
            "sha256": self.sha256,
            "damage": None if self.damage is None else {"line": self.damage.line, "reason": self.damage.reason},
        }


def survey(recording: Recording) -> Survey:
    """Read the recording to its end, or to its damage, which the survey then names.

    Raises Misconfigured where the file cannot be read at all.
    """
    found = Survey()
    try:
        for line in recording.lines():
            found.add(line)
    except RecordingDamaged as error:
        found.damage = error
    return found


def _time(stamp_ms: int | None) -> str | int | None:
    if stamp_ms is None:
        return None
    try:
        return format_time(_EPOCH + timedelta(milliseconds=stamp_ms))
    except OverflowError:
        return stamp_ms
