"""The replicated log of an episode, and a process's way of reading it, which behaves as Kafka's client does."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from consumers.batch import LaneId
from schemas.errors import DependencyUnavailable
from schemas.record import Record
from tests.episodes.process import Process
from tests.episodes.world import Trouble

IDLE_S: Final = 2.0
"""How long a fetch waits for a record before it returns none."""


class Log:
    """Partitions that records and markers are appended to. A marker takes an offset and is never delivered."""

    def __init__(self, lanes: Iterable[LaneId], first: int) -> None:
        self.first = first
        self._records: dict[LaneId, list[Record]] = {lane: [] for lane in lanes}
        self._ends = dict.fromkeys(self._records, first)
        self._appended: dict[LaneId, asyncio.Event] = {lane: asyncio.Event() for lane in self._records}

    @property
    def ends(self) -> Mapping[LaneId, int]:
        """The offset after the last of each lane."""
        return self._ends

    def append(self, lane: LaneId, record: Record | None) -> None:
        """Append a record, or a marker where it is None."""
        if record is not None:
            laid = record._replace(topic=lane.topic, partition=lane.partition, offset=self._ends[lane])
            self._records[lane].append(laid)
        self._ends[lane] += 1
        self._appended[lane].set()
        self._appended[lane] = asyncio.Event()

    def read(self, lane: LaneId, offset: int, records_max: int) -> list[Record]:
        """Return the next records at or behind this offset."""
        records = self._records[lane]
        if not records or offset > records[-1].offset:
            return []
        return [record for record in records if record.offset >= offset][:records_max]

    def count(self, lane: LaneId, before: int) -> int:
        """Return how many records there are before this offset."""
        return sum(record.offset < before for record in self._records[lane])

    def records(self) -> list[Record]:
        """Return all records, in order of topic, partition and offset."""
        return [record for lane in sorted(self._records) for record in self._records[lane]]

    async def wait(self, lane: LaneId) -> None:
        """Wait a while for something to be appended."""
        try:
            async with asyncio.timeout(IDLE_S):
                await self._appended[lane].wait()
        except TimeoutError:
            return


class LogSource:
    """The `RecordSource` of one process. A fetch that is given up has moved the position all the same."""

    def __init__(self, log: Log, process: Process) -> None:
        self._log = log
        self._process = process
        self._positions: dict[LaneId, int] = {}

    async def fetch(self, lane: LaneId, records_max: int) -> Sequence[Record]:
        dice = self._process.dice(lane)
        await self._ask(lane, "fetch")
        position = self._positions.get(lane, self._log.first)
        found = self._log.read(lane, position, dice.randint(1, records_max))
        if found:
            self._positions[lane] = found[-1].offset + 1
            await self._process.travel(dice)
            return found
        self._positions[lane] = max(position, self._log.ends[lane])
        await self._log.wait(lane)
        await self._process.settle()
        return ()

    def seek(self, lane: LaneId, offset: int) -> None:
        self._positions[lane] = offset

    async def position(self, lane: LaneId) -> int:
        await self._process.settle()
        return self._positions.get(lane, self._log.first)

    async def topic_id(self, lane: LaneId) -> str:
        return lane.topic  # asked so often that it is answered from memory, as Kafka's client does

    async def bounds(self, lane: LaneId) -> tuple[int, int]:
        await self._ask(lane, "bounds")
        found = self._log.first, self._log.ends[lane]
        await self._process.travel(self._process.dice(lane))
        return found

    def mark(self, lane: LaneId, offset: int) -> None:
        """Nothing relies on it."""

    async def _ask(self, lane: LaneId, what: str) -> None:
        await self._process.travel(self._process.dice(lane))
        self._process.world.note(self._process.name, what, lane)
        if self._process.world.has(Trouble.BROKER_DOWN):
            raise DependencyUnavailable("the broker is down")
