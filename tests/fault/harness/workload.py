"""What is archived in an episode, drawn from its seed: simulated traffic, busy meetings, reports twice, damage."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from random import Random
from typing import Final

from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.events import EventData, Participant, Role
from schemas.meetings import Origin
from schemas.record import Record
from tests import builders as b

PEOPLE: Final = (b.ALICE, b.BOB, b.CAROL, b.DAVE)
USERS: Final = 150
PUBLISHED: Final = 200
DAMAGES: Final[tuple[Callable[[Record], Record], ...]] = (
    lambda record: record._replace(value=b"not JSON"),
    lambda record: record._replace(value=None),
    lambda record: _with(record, "ce_sequence", "0"),
    lambda record: _with(record, "ce_type", "lync.conversation.imagined.v1"),
    lambda record: _with(record, "ce_time", "yesterday"),
)


def workload(seed: int, count: int, topics: Topics) -> list[Record]:
    """Return about `count` records, in the order in which they are published; the same seed gives the same.

    From seed 201 on meetings are whole, but for their files; the seeds before are those of the published table.
    """
    dice, whole = Random(f"workload {seed}"), seed > PUBLISHED
    meetings = [_meeting(dice, f"meeting-{number}", whole=whole) for number in range(3)]
    busy = [record._replace(topic=topics.conferences, partition=-1, offset=-1) for record in _mixed(dice, meetings)]
    quiet = list(islice(simulate(USERS, 2, seed, topics, whole_meetings=whole), count - len(busy)))
    records = _mixed(dice, [busy, [record for record in quiet if record.topic != topics.contacts]])
    again = [_reported_again(dice, record) for record in dice.sample(records, len(records) // 20)]
    damaged = [dice.choice(DAMAGES)(record) for record in dice.sample(records, 4)]
    for record in (*again, *damaged):
        records.insert(dice.randrange(len(records)), record)
    return _shuffled(dice, records, dice.choice([0, 0, 4, 40, len(records)]))


def _meeting(dice: Random, name: str, *, whole: bool) -> list[Record]:
    """Return a meeting in which people come, talk, go and come again, and that mostly ends."""
    step = _whole_step if whole else _step
    between = [step(dice, dice.choice(PEOPLE), name, number) for number in range(dice.randrange(20, 60))]
    steps: list[EventData] = [b.activated(name, organizer=b.ALICE), *between]
    if dice.random() < 0.8:
        steps.append(b.adjourned(conversation=name))
    return b.history(*steps)


def _step(dice: Random, who: Participant, name: str, number: int) -> EventData:
    match dice.randrange(8):
        case 0:
            return b.departed(who, name)
        case 1 | 2:
            return b.entered(who, name)
        case 3:
            return b.topic(who, f"topic {number}", name)
        case _:
            return b.said(who, f"words {number} in {name}", name)


def _whole_step(dice: Random, who: Participant, name: str, number: int) -> EventData:
    match dice.randrange(14):
        case 0:
            return b.appointed(who, dice.choice(tuple(Role)), name)
        case 1:
            return b.ejected(who, conversation=name)
        case 2:
            return b.came(who, dice.choice(tuple(Origin)), name)
        case 3:
            return b.failed(dice.randrange(2, 60), dice.choice(PEOPLE), who=who, conversation=name)
        case 4:
            return b.asked(who, conversation=name)
        case _:
            return _step(dice, who, name, number)


def _mixed(dice: Random, streams: Sequence[Sequence[Record]]) -> list[Record]:
    """Return all streams as one, each in its own order."""
    rest: list[Iterator[Record]] = [iter(stream) for stream in streams]
    turns = [number for number, stream in enumerate(streams) for _ in stream]
    dice.shuffle(turns)
    return [next(rest[number]) for number in turns]


def _reported_again(dice: Random, record: Record) -> Record:
    """Return the event once more, as it was or as another device reports it by its own clock."""
    if dice.random() < 0.4:
        return record
    return _with(_with(record, "ce_source", "pool/another/phone"), "ce_time", b.at(dice.randrange(900)))


def _shuffled(dice: Random, records: list[Record], reach: int) -> list[Record]:
    """Return the records, each moved by at most about `reach` places."""
    places = sorted(range(len(records)), key=lambda place: place + dice.random() * reach)
    return [records[place] for place in places]


def _with(record: Record, header: str, value: str) -> Record:
    headers = tuple((name, value.encode() if name == header else kept) for name, kept in record.headers)
    return record._replace(headers=headers)
