"""Which lanes a recording has, and where in its lane each record stands; pure.

A lane is a topic and a partition as the recording names them, -1 included, which stands for none. Offsets are those of
the recording where they rise from record to record; holes are nothing to a lane. Where they do not, since records were
never in Kafka, or come from recordings that overlap, the lane has numbers of its own, from 0, in the recording's order.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from consumers.batch import LaneId
from schemas.errors import Misconfigured
from schemas.record import Record

LANES_MAX: Final = 10_000
"""Lanes of one recording: more than partitions of any two topics, and few enough to run at once."""

OFFSET_MAX: Final = 2**63 - 1
"""No record of Kafka's is here: the offset after it would not be a signed 64-bit integer."""


@dataclass(slots=True)
class RecordedLane:
    """How many records a lane has, its first and last offset in the recording, and whether these are of use."""

    records: int = 0
    first: int = -1
    last: int = -1
    numbered: bool = False

    @property
    def bounds(self) -> tuple[int, int]:
        """The first offset, and the one after the last."""
        return (0, self.records) if self.numbered else (self.first, self.last + 1)

    def add(self, offset: int) -> None:
        """Count the lane's next record."""
        if not self.records:
            self.first = offset
        self.numbered = self.numbered or not self.last < offset < OFFSET_MAX
        self.last = max(offset, self.last)
        self.records += 1


class RecordedLanes:
    """The lanes of a recording, learnt record by record; records of other topics are only counted."""

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = frozenset(topics)
        self._lanes: dict[LaneId, RecordedLane] = {}
        self.others = 0

    @property
    def lanes(self) -> Mapping[LaneId, RecordedLane]:
        """What is known by now."""
        return self._lanes

    def add(self, record: Record) -> None:
        """Learn from one record, in the recording's order. Raises Misconfigured for too many lanes."""
        if record.topic not in self._topics:
            self.others += 1
            return
        name = LaneId(record.topic, record.partition)
        if name not in self._lanes:
            if len(self._lanes) == LANES_MAX:
                raise Misconfigured(f"the recording has records of more than {LANES_MAX} partitions")
            self._lanes[name] = RecordedLane()
        self._lanes[name].add(record.offset)
