"""An observer that remembers what lanes tell it, and lets tests wait for it."""

import asyncio
from collections.abc import Callable

from consumers.batch import Batch, LaneId
from schemas.errors import LyncArchiverError


class MemoryObserver:
    """A `LaneObserver` whose memory tests read."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.delays: list[LyncArchiverError] = []
        self.halts: list[tuple[LaneId, BaseException]] = []
        self._told = asyncio.Event()

    def committed(self, batch: Batch, duration_s: float) -> None:
        assert duration_s >= 0
        self.batches.append(batch)
        self._told.set()

    def delayed(self, lane: LaneId, error: LyncArchiverError) -> None:
        assert lane
        self.delays.append(error)
        self._told.set()

    def halted(self, lane: LaneId, error: BaseException) -> None:
        self.halts.append((lane, error))
        self._told.set()

    def end(self, lane: LaneId) -> int:
        """Return the end of the lane's newest commit, or -1."""
        return max((batch.end for batch in self.batches if batch.lane == lane), default=-1)

    async def until(self, condition: Callable[[], bool], limit_s: float = 10.0) -> None:
        """Wait until something told makes the condition true; fail after a limit."""
        async with asyncio.timeout(limit_s):
            while not condition():
                self._told.clear()
                await self._told.wait()
