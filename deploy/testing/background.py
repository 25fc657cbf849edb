"""A loop in a thread of its own, so that tests need no asyncio, and may have their own."""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self, TypeVar

Result = TypeVar("Result")

STOP_LIMIT_S: Final = 30.0
"""How long what was cancelled, and then the loop, may take to end."""


class Background:
    """Runs coroutines, one at a time, and waits for each; used as a context."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="lync-archiver", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def run(self, work: Coroutine[Any, Any, Result], limit_s: float) -> Result:
        """Return what it returns, or raise what it raises, TimeoutError after `limit_s`.

        Whoever interrupts the wait, as Ctrl-C does, cancels the work.
        """
        running = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, limit_s), self._loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(_wound_up(), self._loop).result(STOP_LIMIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_LIMIT_S)
        self._loop.close()


async def _wound_up() -> None:
    """Wait for what was cancelled, which may have a process to end, and cancel what runs still."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
