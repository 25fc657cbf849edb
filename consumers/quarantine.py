"""The quarantine's entries: rejected records, whole, and what became of each."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from consumers.batch import LaneId, Quarantined
from schemas.principals import Principal
from schemas.record import Record

REASON_CHARS_MAX: Final = 1000
"""Characters of the reason for a discard."""


class State(StrEnum):
    """Where an entry stands. Stored, so a member is never renamed; the last two are final."""

    QUARANTINED = "quarantined"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


class Outcome(StrEnum):
    """What a record that was redriven turned out to be. Stored, so a member is never renamed."""

    ARCHIVED = "archived"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Handling:
    """The latest time that somebody handled an entry: when (aware, UTC), and by which application and token.

    `outcome` is there where it was redriven, `reason` where it was discarded. `replacement` is the fingerprint
    (`schemas.fingerprint`) of the bytes that were taken instead of the stored ones, None where none were.
    """

    at: datetime
    principal: Principal
    token_id: str
    outcome: Outcome | None = None
    reason: str | None = None
    replacement: bytes | None = None


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """A record in quarantine as it was met, when it came there, and what became of it.

    Cause and detail are those of the latest try; `tries` counts the redrives.
    """

    entry: Quarantined
    quarantined_at: datetime
    state: State = State.QUARANTINED
    tries: int = 0
    handled: Handling | None = None

    @property
    def id(self) -> str:
        """The record's place in Kafka: topic/partition/offset."""
        return entry_id(self.entry.record, self.entry.log)


class EntryPlace(NamedTuple):
    """Where an entry's record was: lane, offset, and the number of the log that the offset is of."""

    lane: LaneId
    offset: int
    log: int


def entry_id(record: Record, log: int = 0) -> str:
    """Return the id that a record at this place has in quarantine; a log that began anew is named behind it."""
    place = f"{record.topic}/{record.partition}/{record.offset}"
    return f"{place}@{log}" if log else place


def entry_place(name: str) -> EntryPlace:
    """Return the place that an entry's id names. Raises ValueError where it is none."""
    topic, partition, place = name.rsplit("/", 2)
    offset, again, log = place.partition("@")
    return EntryPlace(LaneId(topic, int(partition)), int(offset), int(log) if again else 0)
