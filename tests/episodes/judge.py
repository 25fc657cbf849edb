"""What must hold after every commit: no step back (I4), nothing uncounted (I1), nothing without leave."""

import asyncio

from consumers.batch import Batch
from consumers.grant import Grant
from consumers.memory_store import MemoryStore
from tests.episodes.log import Log
from tests.episodes.world import World


class Judge:
    """Sees every commit at the moment of it, and knows when all is archived."""

    def __init__(self, world: World, log: Log, memory: MemoryStore) -> None:
        self._world = world
        self._log = log
        self._memory = memory
        self._next: dict[object, int] = {}
        self.commits = 0
        self.progressed = asyncio.Event()

    async def committed(self, grant: Grant, batch: Batch) -> None:
        """Judge a commit that was just made."""
        self.commits += 1
        self.progressed.set()
        checkpoint = await self._memory.checkpoint(batch.lane)
        assert checkpoint is not None
        before = self._next.get(batch.lane, self._log.first)
        if checkpoint.next <= before:
            self._world.problem("fell", f"{batch.lane} from {before} to {checkpoint.next}")
        self._next[batch.lane] = checkpoint.next
        read = self._log.count(batch.lane, checkpoint.next)
        if checkpoint.counts.total != read:
            self._world.problem("miscounted", f"{batch.lane}: {checkpoint.counts.total} of {read} records")
        if not self._world.stands(grant):
            self._world.problem("ungranted", f"{batch.lane}: a batch on the grant of token {grant.token_id}")

    @property
    def done(self) -> bool:
        """Whether every lane's checkpoint is at its end."""
        return all(self._next.get(lane, self._log.first) >= end for lane, end in self._log.ends.items())
