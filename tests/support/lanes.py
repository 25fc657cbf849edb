"""A lane's surroundings in memory, put together."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from consumers.batch import LaneId
from consumers.grant_keeper import GrantKeeper
from consumers.lane import Lane, LaneLimits, LaneParts
from consumers.memory_store import MemoryStore
from consumers.policy.governing import Governing
from schemas.record import Record
from tests.builders import CONVERSATIONS, TOPIC_STREAMS
from tests.support.clock import ManualClock
from tests.support.faulty import Fault, FaultyStore
from tests.support.observer import MemoryObserver
from tests.support.source import MemorySource
from tests.support.trust import ReadyAuthority, trusting


@dataclass
class Surroundings:
    """Everything a lane needs. `memory` is the store itself, `store` the same with scripted failures."""

    source: MemorySource
    memory: MemoryStore
    store: FaultyStore
    clock: ManualClock
    limits: LaneLimits
    observer: MemoryObserver = field(default_factory=MemoryObserver)

    @property
    def parts(self) -> LaneParts:
        """What a lane is made with."""
        grants = GrantKeeper(ReadyAuthority(), self.clock)
        return LaneParts(
            self.source,
            self.store,
            self.memory.contents,
            grants,
            self.observer,
            self.clock,
            TOPIC_STREAMS,
            self.limits,
            Governing(self.store),
        )

    def end(self, lane: LaneId) -> int:
        """Return how far the store says the lane has come, or -1."""
        checkpoint = self.memory.checkpoints().get(lane)
        return checkpoint.next if checkpoint else -1


def surroundings(
    records: Iterable[Record] | Mapping[LaneId, Iterable[Record]],
    script: Iterable[Fault | None] = (),
    limits: LaneLimits | None = None,
) -> Surroundings:
    """Return what a lane needs to archive these records, of the conversations' lane where no other is named."""
    clock = ManualClock()
    memory = MemoryStore(clock, trusting())
    by_lane = records if isinstance(records, Mapping) else {CONVERSATIONS: records}
    return Surroundings(MemorySource(by_lane), memory, FaultyStore(memory, script), clock, limits or LaneLimits())


@asynccontextmanager
async def running(around: Surroundings, lane: LaneId = CONVERSATIONS) -> AsyncIterator[Lane]:
    """Run a lane for the length of the block; its commits are done when it ends."""
    started = Lane(lane, around.parts)
    task = asyncio.create_task(started.run())
    try:
        yield started
    finally:
        started.stop()
        async with asyncio.timeout(10):
            await task


async def archived(around: Surroundings, lane: LaneId = CONVERSATIONS) -> None:
    """Wait until all there is has been committed, letting time pass where the lane waits."""
    end = around.source.end(lane)
    reached = asyncio.ensure_future(around.observer.until(lambda: around.end(lane) == end))
    await around.clock.advance_through(reached)
    await reached
