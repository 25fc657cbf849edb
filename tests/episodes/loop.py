"""An event loop without a selector: nothing outside of it exists, and time jumps when nobody is ready.

Who goes on is decided by how long each answer takes, which the episode's seed says; hence one seed is one trace.
"""

import asyncio
from typing import Any, Final

TURNS_MAX: Final = 300_000
"""An episode takes some thousand turns; one that takes this many goes round in circles."""


class Deadlock(Exception):
    """Everybody waits for somebody else, for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs callbacks in the order in which they became ready, as every loop does."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._turns = 0
        self._selector = self

    def time(self) -> float:
        return self._now_s

    def select(self, timeout: float | None) -> list[Any]:
        """Let time pass until the next timer. Raises Deadlock where there is none, or no end to it."""
        self._turns += 1
        if timeout is None or self._turns > TURNS_MAX:
            raise Deadlock(f"after {self._turns} turns, at {self._now_s:.3f} s")
        self._now_s += timeout
        return []

    def _process_events(self, events: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody else's thread is to be woken."""
