"""How close each lane is to losing records: what waits to be archived, held against how long Kafka keeps it."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, NamedTuple, Protocol

from consumers.batch import LaneId
from consumers.lane import Lane
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable, Misconfigured

LOOK_S: Final = 30.0
"""The pause between looks: short against any retention that one would set for an archive."""


class Headroom(NamedTuple):
    """What is left until records are lost: time, its share of the retention, and offsets.

    `offsets` is how far the log's start is behind the checkpoint. Time and share are None where Kafka does not say
    how long it keeps the topic, and infinite and 1 where it does so for ever.
    """

    seconds: float | None
    ratio: float | None
    offsets: int


class TopicLog(Protocol):
    """What is asked of Kafka."""

    async def bounds(self, lane: LaneId) -> tuple[int, int]:
        """As `consumers.ports.RecordSource.bounds`."""

    async def retention_ms(self, topics: list[str]) -> Mapping[str, int]:
        """Return how long topics keep records, below 0 for ever; those that may not be asked are left out."""


class HeadroomObserver(Protocol):
    """Who is told. None of these may raise."""

    def headrooms(self, found: Mapping[LaneId, Headroom], limit: float) -> None:
        """This is left in each lane; below `limit` somebody should know."""


def headroom(retention_ms: int | None, oldest_waiting_ms: int | None, now_ms: float, offsets: int) -> Headroom:
    """Return what is left in a lane whose oldest record that waits has this timestamp, None where none waits."""
    if retention_ms is None:
        return Headroom(None, None, offsets)
    if retention_ms < 0:
        return Headroom(math.inf, 1.0, offsets)
    age_ms = 0.0 if oldest_waiting_ms is None else now_ms - oldest_waiting_ms
    left_ms = retention_ms - age_ms
    return Headroom(left_ms / 1000, left_ms / max(retention_ms, 1), offsets)


class RetentionWatch:
    """Looks at the lanes of a process every `LOOK_S`, and tells what it finds."""

    def __init__(
        self, lanes: Callable[[], Sequence[Lane]], log: TopicLog, observer: HeadroomObserver, clock: Clock, limit: float
    ) -> None:
        self._lanes = lanes
        self._log = log
        self._observer = observer
        self._clock = clock
        self._limit = limit

    async def look(self) -> None:
        """Tell what is left in each lane that has begun. Raises DependencyUnavailable."""
        begun = [(lane, lane.position) for lane in self._lanes()]
        retention = await self._log.retention_ms(sorted({lane.id.topic for lane, _ in begun}))
        now_ms = self._clock.now().timestamp() * 1000
        found: dict[LaneId, Headroom] = {}
        for lane, position in begun:
            if position is not None:
                first, _ = await self._log.bounds(lane.id)
                kept_ms = retention.get(lane.id.topic)
                found[lane.id] = headroom(kept_ms, lane.oldest_waiting_ms, now_ms, position.next - first)
        self._observer.headrooms(found, self._limit)

    async def run(self) -> None:
        """Look again and again; a look that fails, for whatever Kafka answers, is left out."""
        while True:
            with suppress(DependencyUnavailable, Misconfigured):
                await self.look()
            await self._clock.sleep(LOOK_S)


@asynccontextmanager
async def watching(watch: RetentionWatch) -> AsyncIterator[None]:
    """Look for as long as the block runs."""
    task = asyncio.create_task(watch.run(), name="retention watch")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
