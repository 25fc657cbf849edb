"""What happens in an episode, wholly drawn from its seed: how many processes, how large batches, which faults when."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from tests.support.link import Way


class Kind(StrEnum):
    """A kind of fault, by the name that the table gives it."""

    KILL = "archiver killed (SIGKILL)"
    TERM = "archiver stopped (SIGTERM) and started"
    ZOMBIE = "archiver suspended until others have its lanes, then resumed"
    JOIN = "archiver joins"
    LEAVE = "archiver leaves"
    CLOCK = "archiver's clock jumps by hours, and back"
    MONGOD_KILL = "mongod killed (SIGKILL)"
    MONGOD_RESTART = "mongod restarted (SIGTERM)"
    MONGOD_FREEZE = "mongod suspended"
    MONGOD_FULL = "mongod can write no more to its disk"
    BROKER_KILL = "broker killed (SIGKILL)"
    BROKER_RESTART = "broker restarted (SIGTERM)"
    BROKER_FREEZE = "broker suspended"
    MONGOD_CUT = "connections to mongod reset"
    MONGOD_CUT_AFTER = "connections to mongod reset after N bytes"
    MONGOD_STALL = "connections to mongod stall one way"
    MONGOD_SLOW = "connections to mongod are slow"
    MONGOD_REFUSE = "connections to mongod refused"
    KAFKA_CUT = "connections to Kafka reset"
    KAFKA_CUT_AFTER = "connections to Kafka reset after N bytes"
    KAFKA_STALL = "connections to Kafka stall one way"
    KAFKA_SLOW = "connections to Kafka are slow"
    KAFKA_REFUSE = "connections to Kafka refused"
    ISSUER_AWAY = "issuer killed until tokens are over"
    ISSUER_REFUSE = "connections to the issuer refused until tokens are over"
    PARTNER = "partner disabled and enabled"
    REDELIVERY = "records published again, shuffled"


OF_MONGODB: Final = frozenset(
    {Kind.MONGOD_CUT, Kind.MONGOD_CUT_AFTER, Kind.MONGOD_STALL, Kind.MONGOD_SLOW, Kind.MONGOD_REFUSE}
)
OF_KAFKA: Final = frozenset(
    {Kind.KAFKA_CUT, Kind.KAFKA_CUT_AFTER, Kind.KAFKA_STALL, Kind.KAFKA_SLOW, Kind.KAFKA_REFUSE}
)
"""Those of one link: they meet the members that use it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, in the slice of the workload that has its number; `depth` is the share of it that is archived then.

    `member` says which process, `hold_s` how long it lasts where nothing else ends it, `size` is a number of bytes or
    records or milliseconds, whichever the kind has a use for. With `joined` it happens while the one before lasts.
    """

    kind: Kind
    depth: float
    member: int
    hold_s: float
    size: int
    way: Way
    joined: bool = False

    def __str__(self) -> str:
        joined = ", meanwhile" if self.joined else ""
        return (
            f"{self.kind}{joined} (depth {self.depth:.2f}, member {self.member}, hold {self.hold_s:.2f} s, "
            f"size {self.size}, {self.way})"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """An episode before it is played. `linked` are the members that reach the servers over links."""

    seed: int
    members: int
    linked: frozenset[int]
    batch: int
    records: int
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        lines = "".join(f"\n    {number}. {fault}" for number, fault in enumerate(self.faults, start=1))
        linked = ", ".join(map(str, sorted(self.linked))) or "none"
        return (
            f"seed {self.seed}: {self.records} records, {self.members} members (over links: {linked}), "
            f"batches of {self.batch}{lines}"
        )


MEMBERS_MAX: Final = 4
LASTING: Final = frozenset({Kind.MONGOD_FREEZE, Kind.BROKER_FREEZE, Kind.MONGOD_STALL, Kind.KAFKA_STALL})
"""Those during which another fault may happen."""

MEANWHILE: Final = (
    Kind.KILL,
    Kind.TERM,
    Kind.JOIN,
    Kind.MONGOD_CUT,
    Kind.KAFKA_CUT,
    Kind.MONGOD_KILL,
    Kind.BROKER_KILL,
)
"""Those that may happen during another."""


def draw(seed: int) -> Plan:
    """Return the plan of a seed. Consecutive seeds begin with consecutive kinds, so that a campaign meets them all."""
    dice = Random(f"episode {seed}")
    kinds = list(Kind)
    chosen = [kinds[seed % len(kinds)], *dice.choices(kinds, k=dice.choice([1, 1, 2]))]
    dice.shuffle(chosen)
    members = present = dice.choice([2, 2, 3])
    faults: list[Fault] = []
    for kind in chosen:
        faults.append(_drawn(dice, kind))
        if kind in LASTING and dice.random() < 0.5:
            faults.append(_drawn(dice, dice.choice(MEANWHILE), joined=True))
        present += {Kind.JOIN: 1, Kind.LEAVE: -1}.get(kind, 0)
        members += present < 2  # so that lanes always have somewhere to go
        present = max(present, 2)
    linked = frozenset(number for number in range(MEMBERS_MAX + len(faults)) if dice.random() < 0.6) | {0}
    return Plan(
        seed=seed,
        members=members,
        linked=linked,
        batch=dice.choice([1, 2, 3, 5, 8, 20]),
        records=dice.randrange(300, 900),
        faults=tuple(faults),
    )


def _drawn(dice: Random, kind: Kind, *, joined: bool = False) -> Fault:
    return Fault(
        kind=kind,
        depth=dice.random() * 0.7,
        member=dice.randrange(3),
        hold_s=dice.uniform(0.2, 2.0),
        size=dice.randrange(1, 20_000),
        way=dice.choice(list(Way)),
        joined=joined,
    )
