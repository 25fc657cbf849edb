"""Records of a recording as a lane's source: one reader of the file deals them out to all lanes, a little ahead.

It keeps what a lane has not committed yet, so that a lane that begins again at its checkpoint finds it; memory is
bounded by `AHEAD_RECORDS` and `AHEAD_BYTES` a lane, and by what its commits under way hold.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from consumers.batch import LaneId
from consumers.ports import LanesChange, RecordsGone
from consumers.recorded_lanes import RecordedLane
from consumers.stopping import unless_stopped
from schemas.clock import Clock
from schemas.errors import LyncArchiverError, Misconfigured
from schemas.record import Record

AHEAD_RECORDS: Final = 10_000
"""Records read ahead for a lane: the largest batch there is."""

AHEAD_BYTES: Final = 8 * 1024 * 1024
"""Keys and values read ahead for a lane, or one record that is larger: as one fetch of a partition in Kafka."""

READ_RECORDS: Final = 200
READ_BYTES: Final = 1024 * 1024
"""What is read of the file at once, on a thread."""

FETCH_WAIT_S: Final = 0.5
"""How long one fetch waits for a record before it returns none."""

CHANGED: Final = "the recording is not the one that it was at the start"


class _Queue:
    """A lane's records: those handed out and not yet marked, and those ahead."""

    def __init__(self, lane: RecordedLane) -> None:
        self.lane = lane
        self.read = 0
        self.last = -1
        self.next = self.kept_from = lane.bounds[0]
        self.taken: deque[Record] = deque()
        self.ahead: deque[Record] = deque()
        self.ahead_bytes = 0

    @property
    def full(self) -> bool:
        return len(self.ahead) >= AHEAD_RECORDS or self.ahead_bytes >= AHEAD_BYTES

    def put(self, record: Record) -> None:
        """Take the recording's next record. Raises Misconfigured where the lane has no such record."""
        placed = record._replace(offset=self.read) if self.lane.numbered else record
        if not self.last < placed.offset < self.lane.bounds[1]:
            raise Misconfigured(CHANGED)
        self.last = placed.offset
        self.read += 1
        if placed.offset >= self.next:
            self.ahead.append(placed)
            self.ahead_bytes += _size(placed)

    def take(self, records_max: int) -> list[Record]:
        found: list[Record] = []
        while self.ahead and len(found) < records_max:
            found.append(self.ahead.popleft())
            self.ahead_bytes -= _size(found[-1])
        self.taken.extend(found)
        if found:
            self.next = found[-1].offset + 1
        return found

    def seek(self, offset: int) -> None:
        while self.ahead and self.ahead[0].offset < offset:
            self.ahead_bytes -= _size(self.ahead.popleft())
        while self.taken and self.taken[-1].offset >= offset:
            self.ahead.appendleft(self.taken.pop())
            self.ahead_bytes += _size(self.ahead[0])
        self.next = offset

    def mark(self, offset: int) -> None:
        while self.taken and self.taken[0].offset < offset:
            self.taken.popleft()
        self.kept_from = max(self.kept_from, offset)


TOPIC_ID: Final = "recording"
"""What stands for a topic's id: no topic of Kafka's has it, so that nobody goes on there from a recording's places."""


class RecordedSource:
    """The `RecordSource` and `Membership` over a recording, of which this process has all lanes.

    `read` begins to read at the first record each time; `lanes` were learnt from the same records.
    """

    def __init__(
        self, read: Callable[[], Iterator[Record]], lanes: Mapping[LaneId, RecordedLane], clock: Clock
    ) -> None:
        self._read = read
        self._clock = clock
        self._queues = {name: _Queue(lane) for name, lane in lanes.items()}
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: Misconfigured | None = None

    def join(self, assigned: LanesChange, revoked: LanesChange) -> None:
        self._tasks = [
            asyncio.create_task(self._assign(assigned), name="recorded lanes"),
            asyncio.create_task(self._deal(), name="recording"),
        ]

    async def close(self) -> None:
        """Stop reading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def finish(self) -> None:
        """Wait until the recording is read to its end. For when all lanes have all records: nothing is in the way then.

        Raises Misconfigured where it is not the one that the lanes were learnt from.
        """
        await asyncio.gather(*self._tasks)
        if self._failure is not None:
            raise self._failure

    async def fetch(self, lane: LaneId, records_max: int) -> Sequence[Record]:
        """As in `RecordSource`. Raises Misconfigured where the recording cannot be read, or is another by now."""
        queue = self._queues[lane]
        if not queue.ahead and self._failure is None:
            self._news.clear()
            await unless_stopped(self._news, self._clock.sleep(FETCH_WAIT_S))
        if not queue.ahead and self._failure is not None:
            raise self._failure
        found = queue.take(records_max)
        self._room.set()
        return found

    def seek(self, lane: LaneId, offset: int) -> None:
        """As in `RecordSource`. Raises RecordsGone for an offset before one that was marked."""
        queue = self._queues[lane]
        if offset < queue.kept_from:
            raise RecordsGone(f"the checkpoint of {lane} went back to {offset}, behind what was archived")
        queue.seek(offset)
        self._room.set()

    async def position(self, lane: LaneId) -> int:
        return self._queues[lane].next

    async def topic_id(self, lane: LaneId) -> str:
        return TOPIC_ID

    async def bounds(self, lane: LaneId) -> tuple[int, int]:
        return self._queues[lane].lane.bounds

    def mark(self, lane: LaneId, offset: int) -> None:
        self._queues[lane].mark(offset)

    async def ends(self) -> Mapping[LaneId, tuple[int, int]]:
        return {name: queue.lane.bounds for name, queue in self._queues.items()}

    async def publish_marks(self) -> None:
        """No lag tool looks at a recording."""

    async def _assign(self, assigned: LanesChange) -> None:
        await assigned(sorted(self._queues))

    async def _deal(self) -> None:
        """Read the recording once, and say so where it cannot be read to the end that it had."""
        records = self._read()
        try:
            while some := await asyncio.to_thread(_some, records):
                for record in some:
                    self._put(record)
                self._news.set()
                while any(queue.full for queue in self._queues.values()):
                    self._room.clear()
                    await self._room.wait()
            if any(queue.read != queue.lane.records for queue in self._queues.values()):
                raise Misconfigured(CHANGED)
        except Misconfigured as error:
            self._failure = error
        except LyncArchiverError as error:
            self._failure = Misconfigured(str(error))
        self._news.set()

    def _put(self, record: Record) -> None:
        queue = self._queues.get(LaneId(record.topic, record.partition))
        if queue is not None:
            queue.put(record)


def _some(records: Iterator[Record]) -> list[Record]:
    found: list[Record] = []
    size = 0
    while len(found) < READ_RECORDS and size < READ_BYTES and (record := next(records, None)) is not None:
        found.append(record)
        size += _size(record)
    return found


def _size(record: Record) -> int:
    return len(record.key or b"") + len(record.value or b"")
