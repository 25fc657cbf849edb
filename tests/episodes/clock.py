"""Time of an episode: monotonic time is the loop's, wall time may jump, and both pass only when everybody waits."""

import asyncio
from datetime import datetime, timedelta

from tests.support.clock import START


class VirtualClock:
    """The clock of all machines of one episode."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._jumped_s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.time() + self._jumped_s)

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)

    def jump(self, seconds: float) -> None:
        """Set wall time forward or back; monotonic time goes on."""
        self._jumped_s += seconds
