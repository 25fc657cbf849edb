"""Waiting in tests: for a condition and with a limit, never for a time."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Final

from schemas.clock import SystemClock

_POLL_S: Final = 0.05


async def await_until(condition: Callable[[], bool | Awaitable[bool]], limit_s: float) -> None:
    """Wait until `condition`, plain or async, holds; fail the test after `limit_s` seconds."""
    clock = SystemClock()
    limit = clock.monotonic() + limit_s
    while True:
        held = condition()
        if isawaitable(held):
            held = await held
        if held:
            return
        if clock.monotonic() > limit:
            raise AssertionError(f"not within {limit_s} s: {condition}")
        await clock.sleep(_POLL_S)
