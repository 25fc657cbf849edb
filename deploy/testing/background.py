"""A loop in a thread of its own, so that tests need no asyncio, and may have their own."""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self, TypeVar

Result = TypeVar("Result")

STOP_LIMIT_S: Final = 30.0
"""How long the loop may take to end once everything on it is closed."""


class Background:
    """Runs coroutines, one at a time, and waits for each; used as a context."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="lync-archiver", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def run(self, work: Coroutine[Any, Any, Result], limit_s: float) -> Result:
        """Return what it returns, or raise what it raises, TimeoutError after `limit_s`."""
        running = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, limit_s), self._loop)
        return running.result()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_LIMIT_S)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
