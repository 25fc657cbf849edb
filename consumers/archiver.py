"""One archiver process: a lane for each partition that the group gives it, and none for those it takes away."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from consumers.batch import LaneId
from consumers.lane import Lane, LaneParts
from consumers.ports import Membership
from consumers.stopping import unless_stopped
from schemas.errors import DependencyUnavailable, Misconfigured

POLL_S: Final = 0.2
"""How often a process looks whether all lanes, its own and others', have come far enough."""

MARK_S: Final = 1.0
"""How often Kafka is told what is archived: often enough for a lag tool."""


class LaneHalted(Exception):
    """A lane stopped for a bug, with nothing of its batch committed; the cause says which."""


class Archiver:
    """Runs lanes, isolated from each other: one that waits or halts never stops another."""

    def __init__(self, parts: LaneParts, membership: Membership, flush_timeout_s: float) -> None:
        self._parts = parts
        self._membership = membership
        self._flush_timeout_s = flush_timeout_s
        self._running: dict[LaneId, tuple[Lane, asyncio.Task[None]]] = {}
        self._halted: dict[LaneId, BaseException] = {}
        self._leaving = False

    @property
    def halted(self) -> Mapping[LaneId, BaseException]:
        """The lanes that stopped for a bug, and what it was."""
        return self._halted

    @property
    def lanes(self) -> list[Lane]:
        """The lanes that run now."""
        return [lane for lane, _ in self._running.values()]

    async def run(self, stop: asyncio.Event, *, until_caught_up: bool) -> None:
        """Archive until `stop` is set, or until all lanes reach the ends seen at the start.

        On the way out every lane finishes its commit, within one deadline. Where a lane stopped for good the others
        went on; then this raises Misconfigured where that was why, LaneHalted for a bug.
        """
        targets = await self._membership.ends() if until_caught_up else None
        self._membership.join(self._assign, self._revoke)
        try:
            marked = self._parts.clock.monotonic()
            while not stop.is_set() and not self._all_halted and not (targets and await self._reached(targets)):
                await unless_stopped(stop, self._parts.clock.sleep(POLL_S))
                if self._parts.clock.monotonic() - marked >= MARK_S:
                    marked = self._parts.clock.monotonic()
                    await self._membership.publish_marks()
        finally:
            self._leaving = True
            await self._revoke(list(self._running))
            await self._membership.publish_marks()
        for lane, error in self._halted.items():
            if isinstance(error, Misconfigured):
                raise error
            raise LaneHalted(f"lane {lane} stopped: {type(error).__name__}") from error

    async def _assign(self, lanes: Sequence[LaneId]) -> None:
        if self._leaving:
            return
        for name in lanes:
            self._halted.pop(name, None)  # it is tried anew, and halts anew where that does not help
            lane = Lane(name, self._parts)
            task = asyncio.create_task(lane.run(), name=f"lane {name}")
            self._running[name] = (lane, task)
            task.add_done_callback(lambda done, name=name: self._ended(name, done))  # type: ignore[misc]

    async def _revoke(self, lanes: Sequence[LaneId]) -> None:
        """Stop lanes, all within one deadline. One that is late is cut off; the fence keeps what it does harmless."""
        stopping = [self._running.pop(name) for name in lanes if name in self._running]
        for lane, _ in stopping:
            lane.stop()
        tasks = [task for _, task in stopping]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._flush_timeout_s)
            for task in late:
                task.cancel()

    def _ended(self, name: LaneId, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._halted[name] = error
            self._parts.observer.halted(name, error)

    @property
    def _all_halted(self) -> bool:
        # A process without lanes may be given some at once: amid a rebalance it has none.
        return bool(self._running) and self._halted.keys() >= self._running.keys()

    async def _reached(self, targets: Mapping[LaneId, tuple[int, int]]) -> bool:
        """Return whether every lane is past its target or halted. Others' lanes are seen through the store."""
        for name, (first, end) in targets.items():
            if name in self._halted or first == end:
                continue
            own = self._running.get(name)
            position = own[0].position if own else None
            reached = position is not None and position.next >= end
            if not reached and (own or await self._committed(name) < end):
                return False
        return True

    async def _committed(self, name: LaneId) -> int:
        """Return how far another process's lane has come, -1 where that is not known now: it is asked again."""
        try:
            position = await self._parts.store.checkpoint(name)
        except DependencyUnavailable as error:
            self._parts.observer.delayed(name, error)
            return -1
        return -1 if position is None else position.next
