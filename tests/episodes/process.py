"""One archiver process as the machine sees it: it runs, stands still (SIGSTOP), or is gone (SIGKILL)."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from random import Random
from typing import Any, Final

from tests.episodes.world import World

LATENCY_S_MAX: Final = 0.2
"""The slowest answer of a server that is well; most take a tenth of it or less."""


class Process:
    """Everything in it passes through `settle` after each wait: whoever is dead or stopped does not get past it."""

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
        self.stop = asyncio.Event()
        self.over = asyncio.Event()
        self.alive = True
        self._going = asyncio.Event()
        self._going.set()
        self._dice: dict[object, Random] = {}

    @property
    def stands_still(self) -> bool:
        """Whether it is stopped or dead, and answers nobody."""
        return not (self.alive and self._going.is_set())

    def kill(self) -> None:
        """End it at once: nothing in it runs any more, not even what is there for its end."""
        self.alive = False
        self._going.set()
        self.over.set()

    def pause(self) -> None:
        """Stop it where it is."""
        self._going.clear()

    def resume(self) -> None:
        """Let it go on, unaware of the time."""
        self._going.set()

    def dice(self, of: object) -> Random:
        """Return the dice of one of its lanes, or of another part of it."""
        if of not in self._dice:
            self._dice[of] = self.world.dice(f"{self.name}/{of}")
        return self._dice[of]

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something within this process."""
        return self.world.spawn(work)

    async def settle(self) -> None:
        """Go on only if this process does."""
        while not self.world.closing:
            if not self.alive:
                await self.world.never()
            elif not self._going.is_set():
                await self._going.wait()
            else:
                return
        raise asyncio.CancelledError

    async def travel(self, dice: Random, slowness: float = 1.0) -> None:
        """Wait as long as a request or an answer is under way."""
        await self.world.clock.sleep(dice.random() ** 4 * LATENCY_S_MAX * slowness)
        await self.settle()


class ProcessClock:
    """The `Clock` of one process: it wakes nobody while the process stands still."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def now(self) -> datetime:
        return self._process.world.clock.now()

    def monotonic(self) -> float:
        return self._process.world.clock.monotonic()

    async def sleep(self, delay_s: float) -> None:
        await self._process.world.clock.sleep(delay_s)
        await self._process.settle()
