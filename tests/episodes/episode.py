"""An episode as data: what comes, when, and what breaks. All of it follows from a seed; parts of it can be left out."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from consumers.batch import LaneId
from consumers.lane import LaneLimits
from schemas.record import Record
from tests.episodes.workload import Arrival, arrivals
from tests.episodes.world import Trouble


class Kind(StrEnum):
    """What may break."""

    KILL = "a process is killed, and started again after"
    PAUSE = "a process is stopped, and wakes after"
    STOP = "a process is told to end, and started again after"
    REBALANCE = "the lanes are shared out anew, and again after"
    STORE_DOWN = "the store is down for"
    ANSWERS_LOST = "the store commits and its answers are lost for"
    STORE_SLOW = "the store is slower than any deadline for"
    BROKER_DOWN = "the broker is down for"
    GRANTS_REFUSED = "no grant is opened for"
    ISSUER_DOWN = "the issuer is down for"
    PARTNER_DISABLED = "the partner is disabled for"
    KEY_ROLLED = "the partner signs with another key, and with a third after"
    CLOCK_FORWARD = "wall clocks jump forward by a thousand times"
    CLOCK_BACK = "wall clocks jump back by a thousand times"


TROUBLES: Final = {
    Kind.STORE_DOWN: Trouble.STORE_DOWN,
    Kind.ANSWERS_LOST: Trouble.ANSWERS_LOST,
    Kind.STORE_SLOW: Trouble.STORE_SLOW,
    Kind.BROKER_DOWN: Trouble.BROKER_DOWN,
    Kind.GRANTS_REFUSED: Trouble.GRANTS_REFUSED,
    Kind.ISSUER_DOWN: Trouble.ISSUER_DOWN,
    Kind.PARTNER_DISABLED: Trouble.PARTNER_DISABLED,
}
"""The faults that are a state of a server."""

FAULTS_MAX: Final = 8
OFTEN: Final = (Kind.KILL, Kind.PAUSE, Kind.STORE_DOWN, Kind.ANSWERS_LOST, Kind.REBALANCE)
"""Faults that are drawn more often than others: what is hardest to come through unharmed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something breaks `at_s` seconds after the start; `process` is the number of the one it hits, if it hits one."""

    at_s: float
    kind: Kind
    lasts_s: float
    process: int

    def __str__(self) -> str:
        return f"{self.at_s:.3f} s: {self.kind} {self.lasts_s:.3f} s (process {self.process})"


@dataclass(frozen=True, slots=True)
class Episode:
    """One run: its records as they come, its faults, and how the archiver is set."""

    seed: int
    arrivals: tuple[Arrival, ...]
    faults: tuple[Fault, ...]
    lanes: tuple[LaneId, ...]
    processes: int
    limits: LaneLimits
    flush_timeout_s: float
    grant_life_s: float
    first_offset: int

    @property
    def records(self) -> list[Record]:
        """The records that come, without markers."""
        return [arrival.record for arrival in self.arrivals if arrival.record is not None]


def episode(seed: int) -> Episode:
    """Return the episode of this seed."""
    dice = Random(f"{seed}/episode")
    lanes = tuple(
        LaneId(topic, partition)
        for topic in ("lync.conversations", "lync.conferences")
        for partition in range(dice.randint(1, 2))
    )
    processes = dice.randint(1, 3)
    return Episode(
        seed=seed,
        arrivals=arrivals(dice, lanes),
        faults=tuple(sorted((_fault(dice, processes) for _ in range(dice.randint(0, FAULTS_MAX))), key=str)),
        lanes=lanes,
        processes=processes,
        limits=LaneLimits(
            batch_records=dice.randint(1, 8),
            batch_bytes=dice.choice([700, 8 * 1024 * 1024]),
            batch_items=dice.choice([2, 10_000]),
            conversations_max=dice.choice([1, 2, 20_000]),
        ),
        flush_timeout_s=dice.choice([0.05, 0.5, 2.0]),
        grant_life_s=dice.choice([2.0, 10.0, 3600.0]),
        first_offset=dice.choice([0, 0, 41]),
    )


def _fault(dice: Random, processes: int) -> Fault:
    kind = dice.choice(OFTEN if dice.random() < 0.5 else tuple(Kind))
    lasts_s = dice.choice([0.1, 0.5, 3.0, 6.0]) * dice.random()
    return Fault(dice.choice([0.5, 1.5, 3.0]) * dice.random(), kind, lasts_s, dice.randrange(processes))
