"""Generated histories: whatever may legally happen in a few conversations, calls and conferences, and its arrival."""

from collections.abc import Callable
from functools import partial
from typing import Final

from hypothesis import strategies as st

from consumers.batch import LaneId
from schemas.events import Audience, ConferenceMessage, EventData, Participant, Role
from schemas.meetings import ConferenceDeliveryFailed, Origin
from schemas.record import Record
from tests import builders as b

PEOPLE: Final = (b.ALICE, b.BOB, b.CAROL, b.DAVE)
PHONE: Final = "pool/bob/phone"

History = tuple[Record, ...]
"""One conversation's records, in order of sequence."""

Step = Callable[[Participant, str], EventData]


def _came(origin: Origin, who: Participant, name: str) -> EventData:
    return b.came(who, origin, name)


def _appointed(role: Role, who: Participant, name: str) -> EventData:
    return b.appointed(who, role, name)


def _undelivered(sequence: int, who: Participant, name: str) -> EventData:
    """It did not reach somebody, and Bob; a sequence that is no message's, or beyond the end, is among the drawn."""
    return b.failed(sequence, who, b.BOB, who=b.CAROL, conversation=name)


TALK_STEPS: Final[tuple[Step, ...]] = (
    lambda who, name: b.message(who, conversation=name),
    lambda who, name: b.joined(who, conversation=name),
    lambda who, name: b.left(who, conversation=name),
    lambda who, name: b.missed(who, conversation=name),
)
CALL_STEPS: Final[tuple[Step, ...]] = (lambda who, name: b.call_missed(who, conversation=name),)
MEETING_STEPS: Final[tuple[Step, ...]] = (
    lambda who, name: b.said(who, conversation=name),
    lambda who, name: b.said(who, "again", name),
    lambda who, name: b.topic(who, conversation=name),
    lambda who, name: b.entered(who, conversation=name),
    lambda who, name: b.departed(who, conversation=name),
    lambda who, name: b.ejected(who, conversation=name),
    *(partial(_came, origin) for origin in Origin),
    *(partial(_appointed, role) for role in Role),
    *(partial(_undelivered, sequence) for sequence in (2, 3, 4, 6)),
)
"""What moves who may see what, and messages, which it is about."""

ASIDE_STEPS: Final[tuple[Step, ...]] = tuple(partial(b.aside, *kind) for kind in b.ASIDES)
"""Every type that a conference may have in between, for each of its audiences."""

STAGE_STEPS: Final[tuple[Step, ...]] = (
    *(partial(_appointed, role) for role in Role),
    lambda who, name: b.asked(who, conversation=name),
    lambda who, name: b.revealed(b.reference(), Audience.PRESENTERS, who, name),
)
"""Roles, and what those of one role alone see: as often the one as the other."""

persons: Final = st.builds(
    lambda who, other, role: who.model_copy(update={"name": f"{who.name} {other}".strip(), "role": role}),
    st.sampled_from(PEOPLE),
    st.sampled_from(["", "B", "A"]),
    st.sampled_from([Role.ATTENDEE, Role.ATTENDEE, Role.PRESENTER]),
)
"""Somebody, under one of the names that they go by, in one of the roles."""

crowds: Final = st.lists(persons, min_size=1, max_size=3, unique_by=lambda who: who.sip)
pauses: Final = st.sampled_from([0.0, 1.0, 0.5, 700.0, -3.0])
"""Seconds from one event to the next; clocks of several devices step back a little."""


@st.composite
def histories(draw: st.DrawFn, name: str) -> History:
    """One legal history: an opening event, anything its kind allows, and perhaps an end."""
    kind = draw(st.sampled_from(["talk", "talk", "call", "meeting", "meeting"]))
    people, invited = draw(crowds), draw(st.lists(persons, max_size=2, unique_by=lambda who: who.sip))
    steps: tuple[Step, ...]
    opening: EventData
    end: EventData
    if kind == "talk":
        steps, opening, end = TALK_STEPS, b.started(*people, invited=invited, conversation=name), b.ended(1, name)
    elif kind == "call":
        steps, opening, end = CALL_STEPS, b.called(*people, invited=invited, conversation=name), b.call_ended(1, name)
    else:
        organizer = draw(st.sampled_from([None, people[0]]))
        steps = draw(st.sampled_from([MEETING_STEPS, MEETING_STEPS + ASIDE_STEPS]))
        opening, end = b.activated(name, organizer=organizer), b.adjourned(1, name)
    between = draw(st.lists(st.tuples(st.sampled_from(steps), persons), max_size=9))
    said = [opening, *(step(who, name) for step, who in between), *([end] if draw(st.booleans()) else [])]
    return _records(said, draw(st.lists(pauses, min_size=len(said), max_size=len(said))))


def _records(steps: list[EventData], waits: list[float]) -> History:
    at_s, records = 0.0, []
    for (sequence, data), wait in zip(b.numbered(steps), waits, strict=True):
        at_s += wait
        own = data.model_copy(update={"last_sequence": sequence}) if hasattr(data, "last_sequence") else data
        records.append(b.record(sequence, own, at_s=at_s))
    return tuple(records)


@st.composite
def conferences(draw: st.DrawFn, name: str = "m1") -> History:
    """One whole conference of people who came: messages that did not reach some of them, and all that a meeting has."""
    crowd = draw(st.lists(persons, min_size=1, max_size=3, unique_by=lambda who: who.sip))
    origins = st.sampled_from([Origin.INTERNAL, Origin.INTERNAL, Origin.ANONYMOUS])
    comings = [b.came(who, draw(origins), name) for who in crowd]
    steps = st.sampled_from(MEETING_STEPS) | st.sampled_from(ASIDE_STEPS) | st.sampled_from(STAGE_STEPS)
    between = draw(st.lists(st.builds(lambda step, who: step(who, name), steps, persons), max_size=12))
    said = [b.activated(name), *comings, *between, *([b.adjourned(1, name)] if draw(st.booleans()) else [])]
    written = [number for number, data in b.numbered(said) if isinstance(data, ConferenceMessage)]
    told = [
        data.model_copy(update={"message": draw(st.sampled_from(written))})
        if isinstance(data, ConferenceDeliveryFailed) and written
        else data
        for data in said
    ]
    return _records(told, [1.0] * len(told))


several: Final = st.tuples(histories("c1"), histories("c2"), histories("c3")).flatmap(
    lambda found: st.integers(1, 3).map(lambda count: found[:count])
)
"""One to three conversations of any kinds."""


def by_phone(record: Record) -> Record:
    """Return the same event as another device reports it, at the same time."""
    headers = tuple((name, PHONE.encode() if name == "ce_source" else value) for name, value in record.headers)
    return record._replace(headers=headers)


@st.composite
def arrivals(draw: st.DrawFn, found: tuple[History, ...]) -> list[Record]:
    """Every record of the histories at least once, some twice or by two devices, in any order."""
    records = [record for history in found for record in history]
    again = draw(st.lists(st.sampled_from(records), max_size=4))
    phones = draw(st.lists(st.sampled_from(records), max_size=4))
    return draw(st.permutations([*records, *again, *map(by_phone, phones)]))


def conflicting(record: Record) -> Record:
    """Return another event at the same place."""
    headers = tuple((name, b"another" if name == "ce_id" else value) for name, value in record.headers)
    return record._replace(headers=headers)


@st.composite
def streams(draw: st.DrawFn) -> dict[LaneId, list[Record]]:
    """Both lanes' records as they may really come: legal, repeated, contradicting, broken and behind the end."""
    found = draw(several)
    records = draw(arrivals(found))
    odd = draw(st.lists(st.sampled_from(records), max_size=3))
    mixed = draw(st.permutations([*records, *map(conflicting, odd), *[b.broken()] * draw(st.integers(0, 3))]))
    return {lane: b.laid(one for one in mixed if one.topic == lane.topic) for lane in (b.CONVERSATIONS, b.CONFERENCES)}
