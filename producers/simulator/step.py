"""One thing that happens in a simulated conversation, and the numbering that every conversation needs."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from schemas.events import EventData

START: Final = datetime(2013, 3, 4, 8, tzinfo=UTC)
"""When every simulation begins: a Monday morning, the year of Lync Server 2013."""

SECOND_MS: Final = 1000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS


class Step(NamedTuple):
    """An event of one conversation, as its source reports it."""

    at: datetime
    source: str
    sequence: int
    data: EventData
    event_id: str


def identifier(rng: Random) -> str:
    """Return an identifier that looks like a random UUID."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def thread(rng: Random) -> str:
    """Return a thread id: 32 hexadecimal digits."""
    return f"{rng.getrandbits(128):032x}"


class Numbering:
    """Gives one conversation's events their sequence, from 1 and without holes, and their ids."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._last = 0

    @property
    def next(self) -> int:
        """The sequence of the next step: what an ending event says of itself."""
        return self._last + 1

    def step(self, at_ms: int, source: str, data: EventData) -> Step:
        """Return the next step, `at_ms` milliseconds after the simulation's start."""
        self._last += 1
        return Step(START + timedelta(milliseconds=at_ms), source, self._last, data, identifier(self._rng))
