"""Builders of people, event data, events and records, each with a sensible default for what a test does not care for.

Times are seconds after `START`; an event's default time is its sequence, so that time and sequence agree.
"""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from consumers.batch import LaneId
from consumers.decoding import Decoded, decode_all
from consumers.transitions import KINDS, Kind
from schemas import events as ev
from schemas import meetings as mt
from schemas.catalogue import ENDERS, MODELS, OPENERS, STREAMS, TYPES, Stream
from schemas.envelope import Event, decode, encode
from schemas.events import EventData, Participant, Role
from schemas.limits import RECORD_BYTES_MAX
from schemas.meetings import Origin
from schemas.record import Record
from tests.support.clock import START

CONVERSATIONS: Final = LaneId("lync.conversations", 0)
CONFERENCES: Final = LaneId("lync.conferences", 0)
TOPIC_STREAMS: Final = {CONVERSATIONS.topic: Stream.CONVERSATIONS, CONFERENCES.topic: Stream.CONFERENCES}
LANES: Final = {Stream.CONVERSATIONS: CONVERSATIONS, Stream.CONFERENCES: CONFERENCES}
THREAD: Final = "0123456789abcdef0123456789abcdef"
DEVICE: Final = "pool/alice/desktop"

FILE: Final = b"a file"
"""What the content store must have, so that what refers to a file is archived where nothing else is said."""


def person(handle: str, name: str | None = None, role: Role = Role.ATTENDEE) -> Participant:
    return Participant(sip=f"sip:{handle}@contoso.com", name=handle.title() if name is None else name, role=role)


ALICE: Final = person("alice")
BOB: Final = person("bob")
CAROL: Final = person("carol")
DAVE: Final = person("dave")


def started(
    *people: Participant, invited: Iterable[Participant] = (), conversation: str = "c1", thread: str = THREAD
) -> ev.ConversationStarted:
    present = people or (ALICE, BOB)
    return ev.ConversationStarted(
        conversation=conversation,
        thread=thread,
        initiator=present[0].sip,
        participants=present,
        invited=tuple(invited),
    )


def message(who: Participant = ALICE, text: str = "hello", conversation: str = "c1") -> ev.ConversationMessage:
    return ev.ConversationMessage(conversation=conversation, sip=who.sip, text=text)


def joined(who: Participant, conversation: str = "c1") -> ev.ConversationParticipantJoined:
    return ev.ConversationParticipantJoined(conversation=conversation, participant=who)


def left(who: Participant, conversation: str = "c1") -> ev.ConversationParticipantLeft:
    return ev.ConversationParticipantLeft(conversation=conversation, sip=who.sip)


def missed(who: Participant = BOB, conversation: str = "c1") -> ev.ConversationMissed:
    return ev.ConversationMissed(conversation=conversation, participant=who)


def ended(
    last_sequence: int = 1, conversation: str = "c1", reason: ev.EndReason = ev.EndReason.CLOSED
) -> ev.ConversationEnded:
    return ev.ConversationEnded(conversation=conversation, last_sequence=last_sequence, reason=reason)


def called(*people: Participant, invited: Iterable[Participant] = (), conversation: str = "v1") -> ev.CallStarted:
    present = people or (ALICE, BOB)
    return ev.CallStarted(
        conversation=conversation,
        thread=THREAD,
        initiator=present[0].sip,
        participants=present,
        invited=tuple(invited),
    )


def call_missed(who: Participant = BOB, conversation: str = "v1") -> ev.CallMissed:
    return ev.CallMissed(conversation=conversation, participant=who)


def call_ended(last_sequence: int = 1, conversation: str = "v1", duration_s: int = 60) -> ev.CallEnded:
    return ev.CallEnded(conversation=conversation, last_sequence=last_sequence, duration_s=duration_s)


def activated(conversation: str = "m1", **facts: Any) -> ev.ConferenceActivated:
    return ev.ConferenceActivated(conversation=conversation, **{"thread": THREAD, **facts})


def entered(who: Participant, conversation: str = "m1") -> ev.ConferenceJoined:
    return ev.ConferenceJoined(conversation=conversation, participant=who)


def departed(who: Participant, conversation: str = "m1") -> ev.ConferenceLeft:
    return ev.ConferenceLeft(conversation=conversation, sip=who.sip)


def said(who: Participant = ALICE, text: str = "hello all", conversation: str = "m1") -> ev.ConferenceMessage:
    return ev.ConferenceMessage(conversation=conversation, sip=who.sip, text=text)


def topic(who: Participant = ALICE, text: str = "Budget", conversation: str = "m1") -> ev.ConferenceTopic:
    return ev.ConferenceTopic(conversation=conversation, sip=who.sip, text=text)


def reference(data: bytes = FILE, name: str = "plan.txt", **facts: Any) -> ev.ContentReference:
    """Return the claim check of these bytes, or of what `facts` say instead."""
    digest = hashlib.sha256(data).hexdigest()
    stated = {"id": f"content-{digest[:8]}", "media_type": "text/plain", "size": len(data), "sha256": digest}
    return ev.ContentReference(**{"name": name, **stated, **facts})


def uploaded(
    content: ev.ContentReference | None = None, who: Participant = ALICE, conversation: str = "m1"
) -> ev.ConferenceContentUploaded:
    return ev.ConferenceContentUploaded(conversation=conversation, sip=who.sip, content=content or reference())


def drawn(
    content: ev.ContentReference | None = None, who: Participant = ALICE, conversation: str = "m1"
) -> ev.ConferenceWhiteboardSnapshot:
    return ev.ConferenceWhiteboardSnapshot(conversation=conversation, sip=who.sip, content=content or reference())


def came(who: Participant, origin: Origin = Origin.INTERNAL, conversation: str = "m1") -> mt.ConferenceJoinedV2:
    return mt.ConferenceJoinedV2(conversation=conversation, participant=who, origin=origin)


def appointed(who: Participant, role: Role = Role.PRESENTER, conversation: str = "m1") -> mt.ConferenceRoleChanged:
    return mt.ConferenceRoleChanged(conversation=conversation, sip=who.sip, role=role)


def ejected(who: Participant, by: Participant = ALICE, conversation: str = "m1") -> mt.ConferenceEjected:
    return mt.ConferenceEjected(conversation=conversation, sip=who.sip, by=by.sip)


def waited(who: Participant, conversation: str = "m1") -> mt.ConferenceLobbyEntered:
    return mt.ConferenceLobbyEntered(conversation=conversation, participant=who)


def asked(
    who: Participant = ALICE, audience: ev.Audience = ev.Audience.PRESENTERS, conversation: str = "m1"
) -> mt.ConferenceQuestionAsked:
    return mt.ConferenceQuestionAsked(
        conversation=conversation, sip=who.sip, question="q1", text="why?", audience=audience
    )


def admitted(who: Participant, by: Participant = ALICE, conversation: str = "m1") -> mt.ConferenceLobbyAdmitted:
    return mt.ConferenceLobbyAdmitted(conversation=conversation, sip=who.sip, by=by.sip)


def revealed(
    content: ev.ContentReference | None = None,
    audience: ev.Audience = ev.Audience.EVERYONE,
    who: Participant = ALICE,
    conversation: str = "m1",
) -> mt.ConferenceContentVisibility:
    return mt.ConferenceContentVisibility(
        conversation=conversation, sip=who.sip, content=content or reference(), audience=audience
    )


def failed(
    sequence: int, *recipients: Participant, who: Participant = ALICE, conversation: str = "m1"
) -> mt.ConferenceDeliveryFailed:
    return mt.ConferenceDeliveryFailed(
        conversation=conversation,
        sip=who.sip,
        message=sequence,
        recipients=tuple(person.sip for person in recipients or (BOB,)),
    )


def adjourned(last_sequence: int = 1, conversation: str = "m1") -> ev.ConferenceEnded:
    return ev.ConferenceEnded(conversation=conversation, last_sequence=last_sequence)


def at(seconds: float) -> str:
    """Return the time that many seconds after `START`, as events write it."""
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def record(
    sequence: int,
    data: EventData,
    offset: int = 0,
    *,
    at_s: float | None = None,
    event_id: str | None = None,
    source: str = DEVICE,
) -> Record:
    """Return the event as a record in its stream's lane; its id follows from its place, whichever device sends it."""
    lane = LANES[STREAMS[TYPES[type(data)]]]
    encoded = encode(
        event_id or f"{data.conversation}-{sequence}",
        source,
        at(sequence if at_s is None else at_s),
        sequence,
        data,
        lane.topic,
    )
    return encoded._replace(partition=lane.partition, offset=offset)


def event(sequence: int, data: EventData, **facts: Any) -> Event:
    """Return the event as it is decoded."""
    return decode(record(sequence, data, **facts), None)


def history(*steps: EventData, **facts: Any) -> list[Record]:
    """Return the records of one whole conversation: sequences from 1, endings with their own sequence."""
    return [record(sequence, _ending_at(sequence, data), sequence - 1, **facts) for sequence, data in numbered(steps)]


def numbered(steps: Iterable[EventData]) -> Iterable[tuple[int, EventData]]:
    """Return steps with their sequences."""
    return enumerate(steps, start=1)


def laid(records: Iterable[Record], first: int = 0) -> list[Record]:
    """Return the records at consecutive offsets of their lane, in this order."""
    return [found._replace(offset=offset) for offset, found in enumerate(records, start=first)]


def decoded(records: Iterable[Record], first: int = 0) -> list[Decoded]:
    """Return the records as the fold takes them, at consecutive offsets."""
    return decode_all(laid(records, first), TOPIC_STREAMS, RECORD_BYTES_MAX)


def broken(offset: int = 0, lane: LaneId = CONVERSATIONS) -> Record:
    """Return a record that is no event at all."""
    return Record(lane.topic, lane.partition, offset, 0, b"c1", (), b"not JSON")


def example(model: type[EventData], conversation: str = "x1", last_sequence: int = 9) -> EventData:
    """Return some data of the model."""
    facts: dict[str, Any] = {
        "conversation": conversation,
        "thread": THREAD,
        "initiator": ALICE.sip,
        "participants": (ALICE, BOB),
        "participant": ALICE,
        "sip": ALICE.sip,
        "text": "hello",
        "content": reference(b"hello"),
        "last_sequence": last_sequence,
        "role": Role.PRESENTER,
        "origin": Origin.FEDERATED,
        "by": BOB.sip,
        "locked": True,
        "modality": mt.ConferenceModality.AUDIO if model in _MODAL else ev.Modality.VIDEO,
        "audience": ev.Audience.EVERYONE,
        "id": "content-1",
        "name": "plan.txt",
        "poll": "p1",
        "question": "Ready?",
        "choices": ("yes", "no"),
        "tally": (3, 4),
        "title": "Notes",
        "link": "https://notes.contoso.com/1",
        "sharing": mt.Sharing.DESKTOP,
        "message": 2,
        "recipients": (BOB.sip, CAROL.sip),
    }
    return model(**{name: value for name, value in facts.items() if name in model.model_fields})


ASIDES: Final = tuple(
    (model, audience)
    for model in MODELS.values()
    if KINDS[model] is Kind.CONFERENCE and TYPES[model] not in OPENERS | ENDERS
    for audience in (ev.Audience if "audience" in model.model_fields else (None,))
)
"""Every type that a conference may have in between, with each audience that it may have."""


def aside(model: type[EventData], audience: ev.Audience | None, who: Participant, conversation: str) -> EventData:
    """Return an event of the model, by or about somebody."""
    facts = {"sip": who.sip, "participant": who, "content": reference(), "audience": audience}
    known = {field: value for field, value in facts.items() if field in model.model_fields}
    return example(model, conversation).model_copy(update=known)


_MODAL: Final = {mt.ConferenceModalityJoined, mt.ConferenceModalityLeft}


def openers() -> dict[Kind, EventData]:
    """Return an opening event of each kind, all of one conversation."""
    return {
        Kind.CONVERSATION: started(conversation="x1"),
        Kind.CALL: called(conversation="x1"),
        Kind.CONFERENCE: activated(conversation="x1"),
    }


def _ending_at(sequence: int, data: EventData) -> EventData:
    return data.model_copy(update={"last_sequence": sequence}) if hasattr(data, "last_sequence") else data
