"""Who is in a meeting when, and as what: from it follows what they can do, and who can do something about them."""

from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from producers.simulator.population import Person
from producers.simulator.step import MINUTE_MS
from schemas.meetings import Origin

JOIN_WINDOW_MS: Final = 5 * MINUTE_MS
"""Microsoft's model: all join in the first five minutes."""

DURATION_MIN_MS: Final = 2 * JOIN_WINDOW_MS
"""Shorter meetings would leave no room to come, go, come back and say goodbye."""

EARLY_SHARE: Final = 0.10
REJOIN_SHARE: Final = 0.08
GOODBYE_SHARE: Final = 0.5
"""People who leave in the last minute; the end of the meeting takes the others out."""


class Stay(NamedTuple):
    """From when, until when, and whether a leave is reported. Times are milliseconds of the simulation."""

    begin: int
    end: int
    leaves: bool


@dataclass(frozen=True, slots=True)
class Attendance:
    """One person's part in a meeting: whether they come as a presenter, when they are there, and from where."""

    person: Person
    presents: bool
    stays: tuple[Stay, ...]
    origin: Origin = Origin.INTERNAL

    def present(self, at_ms: int) -> bool:
        """Whether the person is there, and neither comes nor goes at this very moment."""
        return any(stay.begin < at_ms < stay.end for stay in self.stays)


def drawn_stays(rng: Random, begin_ms: int, close_ms: int) -> tuple[Stay, ...]:
    """Return when somebody is in a meeting from `begin_ms` until `close_ms`: once, or again after a break."""
    begin = begin_ms + 1 + rng.randrange(JOIN_WINDOW_MS)
    roll = rng.random()
    middle = begin + 1 + rng.randrange((close_ms - begin) // 2)
    if roll < EARLY_SHARE:
        return (Stay(begin, middle, True),)
    goodbye = rng.random() < GOODBYE_SHARE
    end = close_ms - 1 - rng.randrange(MINUTE_MS) if goodbye else close_ms
    if roll < EARLY_SHARE + REJOIN_SHARE:
        back = middle + 1 + rng.randrange(MINUTE_MS)
        return (Stay(begin, middle, True), Stay(back, end, goodbye))
    return (Stay(begin, end, goodbye),)


def moment(rng: Random, stays: tuple[Stay, ...]) -> int:
    """Return a time at which the person is present, after the join and before the leave."""
    begin, end, _leaves = rng.choice(stays)
    return begin + 1 + rng.randrange(max(1, end - begin - 1))
