"""A clock that tests drive: time passes when they say so, and sleepers wake when it has passed them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

START: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class ManualClock:
    """Stands still until `advance`."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed_s = 0.0
        self._sleepers: dict[asyncio.Future[None], float] = {}
        self._slept = asyncio.Event()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        return self._elapsed_s

    async def sleep(self, delay_s: float) -> None:
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers[waking] = self._elapsed_s + delay_s
        self._slept.set()
        try:
            await waking
        finally:
            self._sleepers.pop(waking, None)

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake those whose time has come."""
        self._elapsed_s += seconds
        for waking, due in list(self._sleepers.items()):
            if due <= self._elapsed_s and not waking.done():
                waking.set_result(None)

    def set_back(self, seconds: float) -> None:
        """Let the wall clock be wrong by so much; time passes on as before."""
        self._start -= timedelta(seconds=seconds)

    async def asleep(self) -> float:
        """Wait until somebody sleeps; return how long the next to wake still has to."""
        while not (pending := [due for waking, due in self._sleepers.items() if not waking.done()]):
            self._slept.clear()
            await self._slept.wait()
        return min(pending) - self._elapsed_s

    async def advance_through(self, task: asyncio.Future[Any]) -> None:
        """Wake whoever sleeps, as soon as they do, until the task is done."""
        task.add_done_callback(lambda _: self._slept.set())
        while not task.done():
            self._slept.clear()
            if any(not waking.done() for waking in self._sleepers):
                self.advance(await self.asleep())
            else:
                await self._slept.wait()
