"""Microsoft's user model for Lync Server 2013 (user models, October 2013): how much of what begins when.

Figures are per user who is signed on. A day has eight working hours, and nothing begins outside of them.
"""

from collections.abc import Iterator
from random import Random
from typing import Final

from producers.simulator.step import HOUR_MS, MINUTE_MS

SESSIONS_PER_DAY: Final = 6.0
"""Two-party conversations that a user begins in a day."""

CALLS_PER_DAY: Final = 1.0

WORKDAY_MINUTES: Final = 8 * 60
BUSY_MINUTES: Final = range(120, 216)
"""A fifth of the working day, in its middle, that carries half of its volume."""

BUSY_VOLUME: Final = 0.5

IN_CONFERENCE_SHARE: Final = 0.05
"""Users who are in a conference at once."""

SIZES: Final = (4, 6, 11)
SIZE_SHARES: Final = (85, 10, 5)
LARGE_SIZE: Final = 250
"""One meeting a day is for everybody, up to the largest that Lync Server 2013 allows by default."""

LARGEST_SIZE: Final = 1_000
"""What a pool that is set up for large meetings holds (support for large meetings)."""

DURATION_MINUTES: Final = range(30, 60, 5)
SCHEDULED_SHARE: Final = 0.6
RECURRING_SHARE: Final = 0.8
"""Of scheduled meetings."""

SLOT_MINUTES: Final = 30
"""Scheduled meetings begin at full and half hours, which is where the load peaks."""

MESSAGES_EACH: Final = (2, 5, 0)
MESSAGES_SHARES: Final = (375, 100, 525)
"""Half of the web conferences (75%) have two messages a user, the 10% that are IM only have five, the rest none."""

_DAY_MINUTES: Final = 24 * 60
_MEAN_SIZE: Final = sum(size * share for size, share in zip(SIZES, SIZE_SHARES, strict=True)) / sum(SIZE_SHARES)
_MEAN_MINUTES: Final = sum(DURATION_MINUTES) / len(DURATION_MINUTES)
_MEETINGS_PER_USER_MINUTE: Final = IN_CONFERENCE_SHARE / (_MEAN_SIZE * _MEAN_MINUTES)


def by_profile(rng: Random, per_day: float, minutes: int) -> Iterator[int]:
    """Yield when each of `per_day` things a day begins: milliseconds, rising, with the busy time of the day."""
    for minute in range(minutes):
        yield from _within(rng, per_day * _volume(minute % _DAY_MINUTES), minute)


def ad_hoc_meetings(rng: Random, users: int, minutes: int) -> Iterator[int]:
    """Yield when meetings that nobody scheduled begin: milliseconds, rising."""
    expected = users * _MEETINGS_PER_USER_MINUTE * (1 - SCHEDULED_SHARE)
    for minute in range(minutes):
        if minute % _DAY_MINUTES < WORKDAY_MINUTES:
            yield from _within(rng, expected, minute)


def scheduled_meetings(rng: Random, users: int, minutes: int) -> Iterator[int]:
    """Yield when scheduled meetings begin: milliseconds, rising, within a few seconds of a full or half hour."""
    expected = users * _MEETINGS_PER_USER_MINUTE * SCHEDULED_SHARE * SLOT_MINUTES
    for minute in range(0, minutes, SLOT_MINUTES):
        if minute % _DAY_MINUTES < WORKDAY_MINUTES:
            yield from _within(rng, expected, minute)


def large_meetings(hours: float) -> Iterator[int]:
    """Yield when the meetings for everybody begin: an hour into each day, sooner where the simulation is short."""
    day_ms = _DAY_MINUTES * MINUTE_MS
    end_ms = int(hours * HOUR_MS)
    for day_start_ms in range(0, end_ms, day_ms):
        yield day_start_ms + min(HOUR_MS, (end_ms - day_start_ms) // 4)


def largest_meetings(users: int, hours: float) -> Iterator[int]:
    """Yield when the meetings begin that are too large for other pools: as the large ones, and a while after them."""
    if users > LARGE_SIZE:
        for at_ms in large_meetings(hours):
            yield at_ms + 10 * MINUTE_MS


def _volume(minute: int) -> float:
    """Return the part of a day's volume that falls into this minute of it."""
    if minute in BUSY_MINUTES:
        return BUSY_VOLUME / len(BUSY_MINUTES)
    if minute < WORKDAY_MINUTES:
        return (1 - BUSY_VOLUME) / (WORKDAY_MINUTES - len(BUSY_MINUTES))
    return 0.0


def _within(rng: Random, expected: float, minute: int) -> list[int]:
    count = int(expected + rng.random())
    return sorted(minute * MINUTE_MS + rng.randrange(MINUTE_MS) for _ in range(count))
