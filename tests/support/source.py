"""A source of records in memory."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from consumers.batch import LaneId
from schemas.record import Record

TOPIC_ID: Final = "11111111-1111-1111-1111-111111111111"


class MemorySource:
    """A `RecordSource` over lists of records. Out of records it answers none once, then waits for more."""

    def __init__(self, records: Mapping[LaneId, Iterable[Record]]) -> None:
        self._records = {lane: list(found) for lane, found in records.items()}
        self._next: dict[LaneId, int] = {}
        self._told: set[LaneId] = set()
        self._more = asyncio.Event()
        self.marks: dict[LaneId, int] = {}
        self.fetches = 0
        self._fetched = asyncio.Event()
        self.topic = TOPIC_ID

    async def fetch(self, lane: LaneId, records_max: int) -> Sequence[Record]:
        self.fetches += 1
        self._fetched.set()
        while True:
            offset = self._next.get(lane, 0)
            found = [record for record in self._records[lane] if record.offset >= offset][:records_max]
            if found:
                self._told.discard(lane)
                self._next[lane] = found[-1].offset + 1
                return found
            if lane not in self._told:
                self._told.add(lane)
                return ()
            self._more.clear()
            await self._more.wait()

    def seek(self, lane: LaneId, offset: int) -> None:
        self._next[lane] = offset
        self._told.discard(lane)
        self._more.set()

    async def position(self, lane: LaneId) -> int:
        return self._next.get(lane, 0)

    async def bounds(self, lane: LaneId) -> tuple[int, int]:
        records = self._records[lane]
        return (records[0].offset, self.end(lane)) if records else (0, 0)

    async def topic_id(self, lane: LaneId) -> str:
        assert lane in self._records
        return self.topic

    def mark(self, lane: LaneId, offset: int) -> None:
        self.marks[lane] = offset

    def append(self, lane: LaneId, *records: Record) -> None:
        """Let more records come in, behind those that are there."""
        self._records[lane].extend(records)
        self._more.set()

    def copy(self) -> "MemorySource":
        """Return another reader of the same records."""
        return MemorySource(self._records)

    async def fetched(self) -> None:
        """Wait for another fetch."""
        self._fetched.clear()
        await self._fetched.wait()

    def end(self, lane: LaneId) -> int:
        """Return the offset after the lane's last record."""
        records = self._records[lane]
        return records[-1].offset + 1 if records else 0
