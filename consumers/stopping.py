"""Waiting that ends early when somebody is told to stop."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Result = TypeVar("Result")


async def unless_stopped(stop: asyncio.Event, work: Awaitable[Result]) -> Result | None:
    """Return what `work` returns, or None where `stop` is set first; then `work` is cancelled, and over on return."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
