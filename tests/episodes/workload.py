"""What comes in an episode: conversations, calls and meetings, reported by several devices, late, twice, and broken."""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Final, NamedTuple

from consumers.batch import LaneId
from schemas.events import Audience, EventData, Participant, Role
from schemas.meetings import Origin
from schemas.record import Record
from tests import builders as b

PEOPLE: Final = (b.ALICE, b.BOB, b.CAROL, b.DAVE)
DEVICES: Final = ("pool/alice/desktop", "pool/bob/phone", "pool/carol/tablet")
PAUSES_S: Final = (0.0, 1.0, 0.5, 700.0, -3.0)
"""Seconds from one event to the next; clocks of several devices step back a little."""

Step = Callable[[Participant, str, str], EventData]
Damage = Callable[[Record], Record]


def _appointed(role: Role, who: Participant, text: str, name: str) -> EventData:
    return b.appointed(who, role, name)


def _undelivered(sequence: int, who: Participant, text: str, name: str) -> EventData:
    """It did not reach somebody, and Bob; not every sequence is a message's, or comes."""
    return b.failed(sequence, who, b.BOB, who=b.CAROL, conversation=name)


def _aside(model: type[EventData], audience: Audience | None, who: Participant, text: str, name: str) -> EventData:
    return b.aside(model, audience, who, name)


TALK: Final[tuple[Step, ...]] = (
    b.message,
    b.message,
    lambda who, text, name: b.joined(who, name),
    lambda who, text, name: b.left(who, name),
    lambda who, text, name: b.missed(who, name),
)
CALL: Final[tuple[Step, ...]] = (lambda who, text, name: b.call_missed(who, name),)
MEETING: Final[tuple[Step, ...]] = (
    b.said,
    b.said,
    b.topic,
    lambda who, text, name: b.entered(who, name),
    lambda who, text, name: b.departed(who, name),
    lambda who, text, name: b.came(who, Origin.FEDERATED, name),
    lambda who, text, name: b.ejected(who, conversation=name),
    *(partial(_appointed, role) for role in Role),
    *(partial(_undelivered, sequence) for sequence in (2, 3, 4, 6)),
    lambda who, text, name: b.asked(who, conversation=name),
    lambda who, text, name: b.revealed(None, Audience.PRESENTERS, who, name),
)
WHOLE: Final[tuple[Step, ...]] = MEETING + tuple(partial(_aside, *kind) for kind in b.ASIDES)
"""Whatever a meeting may leave behind."""


class Arrival(NamedTuple):
    """A record that comes into a lane at a time, or a marker of the log's own where `record` is None."""

    at_s: float
    lane: LaneId
    record: Record | None


class _Said(NamedTuple):
    lane: LaneId
    record: Record


def arrivals(dice: Random, lanes: Sequence[LaneId]) -> tuple[Arrival, ...]:
    """Return everything that comes, in order of time."""
    said: list[_Said] = []
    for number in range(dice.randint(1, 5)):
        said += _conversation(dice, f"c{number}", lanes)
    said += [_Said(one.lane, _broken(dice, one.record)) for one in _some(dice, said, 2)]
    if dice.random() < 0.5:
        dice.shuffle(said)
    elif dice.random() < 0.5:
        said.sort(key=lambda one: dict(one.record.headers)["ce_time"] or b"")
    if dice.random() < 0.3:
        said += said[-dice.randint(1, 6) :]
    spread_s = dice.choice([0.0, 1.0, 3.0])
    times_s = sorted(spread_s * dice.random() for _ in said)
    found = []
    for at_s, one in zip(times_s, said, strict=True):
        found.append(Arrival(at_s, one.lane, one.record))
        if dice.random() < 0.08:
            found.append(Arrival(at_s, one.lane, None))
    return tuple(found)


def _conversation(dice: Random, name: str, lanes: Sequence[LaneId]) -> list[_Said]:
    """Return one conversation's records: a legal history, perhaps in two partitions; or an illegal one in one."""
    records = _history(dice, name)
    of_topic = [lane for lane in lanes if lane.topic == records[0].topic]
    own = [dice.choice(of_topic)]
    again = [_reported_again(dice, record) for record in _some(dice, records, 5)]
    odd: list[Record] = []
    if dice.random() < 0.25:
        own = of_topic
    elif dice.random() < 0.4:
        odd = [_conflicting(dice, record) for record in _some(dice, records, 3)]
    whole = [*records, *again, *odd]
    if again or odd:
        whole.sort(key=lambda record: int(dict(record.headers)["ce_sequence"] or b"0") + dice.choice([0, 0, 2]))
    return [_Said(dice.choice(own), record) for record in whole]


def _history(dice: Random, name: str) -> list[Record]:
    """Return one history in order of sequence: an opening event, anything its kind allows, and perhaps an end."""
    people = dice.sample(PEOPLE, dice.randint(1, 3))
    invited = dice.sample(PEOPLE, dice.randint(0, 2))
    steps: tuple[Step, ...]
    opening: EventData
    end: EventData
    match dice.choice(["talk", "talk", "call", "meeting", "meeting"]):
        case "talk":
            steps, opening, end = TALK, b.started(*people, invited=invited, conversation=name), b.ended(1, name)
        case "call":
            steps, opening, end = CALL, b.called(*people, invited=invited, conversation=name), b.call_ended(1, name)
        case _:
            steps = dice.choice([MEETING, MEETING, WHOLE])
            opening, end = b.activated(name, organizer=people[0]), b.adjourned(1, name)
    between = [dice.choice(steps)(_named(dice), f"{name} says {number}", name) for number in range(dice.randint(0, 14))]
    whole = [opening, *between, *([end] if dice.random() < 0.5 else [])]
    at_s, records = 0.0, []
    for sequence, data in b.numbered(whole):
        at_s += dice.choice(PAUSES_S)
        ending = data.model_copy(update={"last_sequence": sequence}) if hasattr(data, "last_sequence") else data
        records.append(b.record(sequence, ending, at_s=at_s))
    return records


def _named(dice: Random) -> Participant:
    """Return somebody, under one of the names that they go by, in one of the roles."""
    who = dice.choice(PEOPLE)
    if dice.random() < 0.3:
        who = who.model_copy(update={"name": f"{who.name} {dice.choice('AB')}"})
    return who.model_copy(update={"role": Role.PRESENTER}) if dice.random() < 0.3 else who


def _some(dice: Random, found: Sequence[object], most: int) -> list:  # type: ignore[type-arg]
    return dice.choices(found, k=dice.randint(0, most))


def _reported_again(dice: Random, record: Record) -> Record:
    """Return the same event, as the same or another device reports it, by its own clock."""
    if dice.random() < 0.4:
        return record
    return _with(record, "ce_source", dice.choice(DEVICES)) if dice.random() < 0.5 else _at(dice, record)


def _at(dice: Random, record: Record) -> Record:
    return _with(_with(record, "ce_time", b.at(dice.randint(0, 900))), "ce_source", dice.choice(DEVICES[1:]))


def _conflicting(dice: Random, record: Record) -> Record:
    """Return another event at the same place: of another id, of another content, or both; or one behind the end."""
    match dice.randint(0, 3):
        case 0:
            return _with(record, "ce_id", "another")
        case 1:
            return record._replace(value=(record.value or b"").replace(b"says", b"shouts"))
        case 2:
            return _with(record._replace(value=(record.value or b"").replace(b"says", b"cries")), "ce_id", "third")
        case _:
            sequence = int(dict(record.headers)["ce_sequence"] or b"0")
            return _with(record, "ce_sequence", str(sequence + 12)) if sequence > 1 else record


DAMAGES: Final[tuple[Damage, ...]] = (
    lambda record: record._replace(value=b"not JSON"),
    lambda record: record._replace(value=None),
    lambda record: record._replace(key=b"another"),
    lambda record: _with(record, "ce_sequence", "0"),
    lambda record: _with(record, "ce_type", "lync.conversation.imagined.v1"),
    lambda record: _with(record, "ce_time", "yesterday"),
    lambda record: record._replace(headers=record.headers[:1] * 2 + record.headers[1:]),
)


def _broken(dice: Random, record: Record) -> Record:
    return dice.choice(DAMAGES)(record)


def _with(record: Record, header: str, value: str) -> Record:
    headers = tuple((name, value.encode() if name == header else kept) for name, kept in record.headers)
    return record._replace(headers=headers)
