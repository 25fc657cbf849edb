"""A process's way to the archive: requests travel, may be lost before or after a commit, and outlive their sender."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from consumers.batch import Batch, Checkpoint, LaneId
from consumers.conversation import Conversation
from consumers.grant import Grant
from consumers.memory_store import MemoryStore
from schemas.envelope import Event
from schemas.errors import DependencyUnavailable
from tests.episodes.judge import Judge
from tests.episodes.process import LATENCY_S_MAX, Process
from tests.episodes.world import Trouble

SLOWNESS: Final = 40.0
"""How much longer a slow store takes: beyond any flush's deadline."""


class DistantStore:
    """The `ArchiveStore` of one process."""

    def __init__(self, memory: MemoryStore, judge: Judge, process: Process) -> None:
        self._memory = memory
        self._judge = judge
        self._process = process
        self._world = process.world

    async def checkpoint(self, lane: LaneId) -> Checkpoint | None:
        await self._ask("checkpoint", lane)
        found = await self._memory.checkpoint(lane)
        await self._process.travel(self._process.dice(lane))
        return found

    async def load(self, conversations: Iterable[str]) -> Mapping[str, Conversation]:
        names = sorted(conversations)
        await self._ask("load", names[0])
        found = await self._memory.load(names)
        await self._process.travel(self._process.dice(names[0]))
        return found

    async def recall(self, places: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], Event]:
        wanted = sorted(places)
        await self._ask("recall", wanted[0])
        found = await self._memory.recall(wanted)
        await self._process.travel(self._process.dice(wanted[0]))
        return found

    async def commit(self, grant: Grant, batch: Batch) -> None:
        await self._ask("commit", batch.lane)
        answer = self._world.spawn(self._serve(grant, batch))
        try:
            await asyncio.shield(answer)
        finally:
            await self._process.travel(self._process.dice(batch.lane))

    async def _serve(self, grant: Grant, batch: Batch) -> None:
        """Commit on the server, whatever became of who asked for it."""
        dice = self._process.dice(batch.lane)
        slowness = SLOWNESS if self._world.has(Trouble.STORE_SLOW) else 1.0
        await self._world.clock.sleep(dice.random() ** 2 * LATENCY_S_MAX * slowness)
        down = self._world.has(Trouble.STORE_DOWN)
        if down and dice.random() < 0.5:
            raise DependencyUnavailable("the store went down before the commit")
        await self._memory.commit(grant, batch)
        self._world.note(self._process.name, "committed", batch.lane, batch.start, batch.end)
        await self._judge.committed(grant, batch)
        if down or self._world.has(Trouble.ANSWERS_LOST):
            raise DependencyUnavailable("the answer is lost")

    async def _ask(self, what: str, where: object) -> None:
        await self._process.travel(self._process.dice(where if isinstance(where, LaneId) else str(where)))
        self._world.note(self._process.name, what, where)
        if self._world.has(Trouble.STORE_DOWN):
            raise DependencyUnavailable("the store is down")
