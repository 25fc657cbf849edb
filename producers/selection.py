"""Which records of a recording are meant: by time, by conversation and by user."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from producers.people import people_of
from producers.recording import RecordedLine
from schemas.record import Record

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Selection:
    """Takes what satisfies every one of its conditions; an empty one takes everything.

    Times are Unix times in milliseconds, of a record's timestamp: from `since_ms` on, and before `until_ms`. A record
    without a timestamp satisfies neither. `conversations` are keys of records. `users` are SIP addresses, of which an
    event must name one; a record that carries no event satisfies that never.
    """

    since_ms: int | None = None
    until_ms: int | None = None
    conversations: frozenset[bytes] = frozenset()
    users: frozenset[str] = frozenset()

    @property
    def seeks(self) -> bool:
        """Whether there are conditions that an index knows: of times or of conversations."""
        return bool(self.conversations) or self.since_ms is not None or self.until_ms is not None

    def takes(self, record: Record) -> bool:
        """Return whether the record is meant."""
        # Decoding refuses an event whose key is not its conversation, so the key alone says which one it is.
        if self.conversations and record.key not in self.conversations:
            return False
        return self._takes_time(record.timestamp_ms) and self._takes_people(record)

    def lines(self, lines: Iterable[RecordedLine]) -> Iterator[RecordedLine]:
        """Yield the lines that are meant, in their order."""
        return (found for found in lines if self.takes(found.record))

    def takes_span(self, least_ms: int, most_ms: int) -> bool:
        """Return whether a record with a timestamp from `least_ms` to `most_ms` can satisfy the times."""
        if self.since_ms is not None and most_ms < self.since_ms:
            return False
        return self.until_ms is None or least_ms < self.until_ms

    def _takes_time(self, stamp_ms: int) -> bool:
        if self.since_ms is None and self.until_ms is None:
            return True
        if stamp_ms < 0 or (self.since_ms is not None and stamp_ms < self.since_ms):
            return False
        return self.until_ms is None or stamp_ms < self.until_ms

    def _takes_people(self, record: Record) -> bool:
        if not self.users:
            return True
        people = people_of(record)
        return people is not None and not people.isdisjoint(self.users)


def first_ms(moment: datetime) -> int:
    """Return the first millisecond that does not lie before the moment, as Unix time."""
    return -((_EPOCH - moment) // _TICK)
