"""What a seed's archive is told: conversations, calls and conferences with files, as they may really come."""

from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

from consumers.batch import LaneId
from schemas.events import Audience, ContentReference, EventData, Participant, Role
from schemas.meetings import Origin
from schemas.record import Record
from tests import builders as b

PEOPLE: Final = (b.ALICE, b.BOB, b.CAROL, b.DAVE, b.person("guest"))
"""The last one has no account."""

ITEM_BYTES_MAX: Final = 300_000
LARGE: Final = bytes(range(256)) * 1100
"""More than one chunk of GridFS."""

PARTITIONS: Final = 2
MESSAGES: Final = ("hello", "lunch?", "größer", "the plan is this\nand that", '"quoted"')

Step = Callable[[Random, str], EventData]


class Arrival(NamedTuple):
    """A record as it comes, and as it should have been where it comes damaged."""

    record: Record
    whole: Record | None = None


class Told(NamedTuple):
    """Each lane's records in the order in which they come, and the files: put before, put late, put wrong, put idle."""

    lanes: dict[LaneId, list[Arrival]]
    early: list[bytes]
    late: list[bytes]
    wrong: list[bytes]
    idle: list[bytes]


def told(dice: Random) -> Told:
    """Return what comes: every conversation whole, and some records twice, contradicted, damaged or after the end."""
    found = Told({}, [LARGE] if dice.random() < 0.3 else [], [], [], [b"never shared", b"a draft"])
    at_s = 0.0
    for number in range(1, dice.randint(5, 8)):
        name = f"{dice.choice('acmv')}{number}"
        kind = (
            dice.choice(("talk", "talk", "call", "meeting")) if number > 3 else ("talk", "meeting", "call")[number - 1]
        )
        at_s += dice.uniform(0, 100)
        steps = {"talk": _talk, "call": _call, "meeting": _meeting}[kind](dice, name, found)
        _lay(dice, steps, at_s, found.lanes)
    for lane, arrivals in found.lanes.items():
        found.lanes[lane] = _disturbed(dice, arrivals)
    return found


def _talk(dice: Random, name: str, _: Told) -> list[EventData]:
    present = _crowd(dice)
    steps: list[Step] = [
        lambda dice, name: b.message(dice.choice(PEOPLE), dice.choice(MESSAGES), name),
        lambda dice, name: b.message(dice.choice(PEOPLE), dice.choice(MESSAGES), name),
        lambda dice, name: b.joined(dice.choice(PEOPLE), name),
        lambda dice, name: b.left(dice.choice(PEOPLE), name),
        lambda dice, name: b.missed(dice.choice(PEOPLE), name),
    ]
    opening = b.started(*present, invited=_crowd(dice)[:1], conversation=name, thread=f"{dice.getrandbits(128):032x}")
    return [opening, *_some(dice, steps, name), *([b.ended(1, name)] if dice.random() < 0.6 else [])]


def _call(dice: Random, name: str, _: Told) -> list[EventData]:
    opening = b.called(*_crowd(dice), invited=_crowd(dice)[:1], conversation=name)
    missed = [b.call_missed(dice.choice(PEOPLE), name)] if dice.random() < 0.4 else []
    return [opening, *missed, *([b.call_ended(1, name)] if dice.random() < 0.7 else [])]


def _meeting(dice: Random, name: str, found: Told) -> list[EventData]:
    present = _crowd(dice)
    steps: list[Step] = [
        lambda dice, name: b.said(dice.choice(PEOPLE), dice.choice(MESSAGES), name),
        lambda dice, name: b.topic(dice.choice(PEOPLE), dice.choice(MESSAGES), name),
        lambda dice, name: b.entered(dice.choice(PEOPLE), name),
        lambda dice, name: b.departed(dice.choice(PEOPLE), name),
        lambda dice, name: b.uploaded(_file(dice, found), dice.choice(PEOPLE), name),
        lambda dice, name: b.drawn(_file(dice, found), dice.choice(PEOPLE), name),
        lambda dice, name: b.uploaded(_file(dice, found), dice.choice(PEOPLE), name),
        lambda dice, name: b.revealed(_file(dice, found), dice.choice(list(Audience)), dice.choice(PEOPLE), name),
        lambda dice, name: b.came(dice.choice(PEOPLE), dice.choice(list(Origin)), name),
        lambda dice, name: b.appointed(dice.choice(PEOPLE), dice.choice(list(Role)), name),
        lambda dice, name: b.ejected(dice.choice(PEOPLE), conversation=name),
        lambda dice, name: b.waited(dice.choice(PEOPLE), name),
        lambda dice, name: b.asked(dice.choice(PEOPLE), dice.choice(list(Audience)), name),
        lambda dice, name: b.failed(dice.randint(1, 9), *_crowd(dice), who=dice.choice(PEOPLE), conversation=name),
    ]
    opening = b.activated(name, organizer=dice.choice((None, present[0])))
    entries = [b.entered(who, name) for who in present]
    return [opening, *entries, *_some(dice, steps, name), *([b.adjourned(1, name)] if dice.random() < 0.6 else [])]


def _crowd(dice: Random) -> list[Participant]:
    return dice.sample(PEOPLE, dice.randint(1, 3))


def _some(dice: Random, steps: list[Step], name: str) -> list[EventData]:
    return [dice.choice(steps)(dice, name) for _ in range(dice.randint(2, 8))]


def _file(dice: Random, found: Told) -> ContentReference:
    """Return the reference to a file, which is noted where it will be: there, late, wrong, or nowhere."""
    fate = dice.choice(("early", "early", "early", "late", "wrong", "never", "oversized", "again"))
    if fate == "again" and found.early:
        return b.reference(dice.choice(found.early), name="again.txt")
    data = f"file {dice.getrandbits(40)}".encode() * dice.randint(1, 40)
    if fate == "oversized":
        return b.reference(data, size=ITEM_BYTES_MAX + 1)
    {"late": found.late, "wrong": found.wrong, "never": []}.get(fate, found.early).append(data)
    return b.reference(data, name=f"plan{dice.randint(1, 9)}.txt")


def _lay(dice: Random, steps: list[EventData], at_s: float, lanes: dict[LaneId, list[Arrival]]) -> None:
    records = []
    for sequence, data in b.numbered(steps):
        at_s += dice.choice((0.0, 0.5, 1.0, 40.0, -2.0))
        own = data.model_copy(update={"last_sequence": sequence}) if hasattr(data, "last_sequence") else data
        records.append(b.record(sequence, own, at_s=at_s))
    partition = dice.randrange(PARTITIONS)
    records = [one._replace(partition=partition) for one in records]
    if dice.random() < 0.3:  # they come late, and not in order
        dice.shuffle(records)
    lanes.setdefault(LaneId(records[0].topic, partition), []).extend(map(Arrival, records))


def _disturbed(dice: Random, arrivals: list[Arrival]) -> list[Arrival]:
    """Mix conversations, repeat and contradict some records, and damage others."""
    mixed = _mixed(dice, arrivals)
    for _ in range(dice.randint(1, 3)):
        record = dice.choice(arrivals).record
        odd = dice.choice((record, _renamed(record, "ce_source", b"pool/phone"), _renamed(record, "ce_id", b"another")))
        mixed.insert(dice.randint(0, len(mixed)), Arrival(odd))
    for place in dice.sample(range(len(mixed)), min(len(mixed), dice.randint(1, 3))):
        whole = mixed[place].record
        mixed[place] = Arrival(whole._replace(value=dice.choice((b"{", b"not JSON", None, whole.value or b""))), whole)
    lane = arrivals[0].record
    mixed.append(Arrival(b.broken(lane=LaneId(lane.topic, lane.partition))))
    return mixed


def _mixed(dice: Random, arrivals: list[Arrival]) -> list[Arrival]:
    """Return the records with those of one conversation between those of others, in their order."""
    keys = [one.record.key for one in arrivals]
    dice.shuffle(keys)
    queues = {key: iter([one for one in arrivals if one.record.key == key]) for key in set(keys)}
    return [next(queues[key]) for key in keys]


def _renamed(record: Record, header: str, value: bytes) -> Record:
    return record._replace(headers=tuple((name, value if name == header else was) for name, was in record.headers))
