"""Records on their way through the gate: those that are accepted, in sequences without holes, and no others.

A conversation none of whose events was refused passes byte for byte. Events come in order of sequence, as servers
report them; a repetition shares the fate of the event that it repeats.
"""

from bisect import bisect_left, insort
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from producers.gate import MATTERS, CriticalMode, Matter, Refusal, refusal
from producers.health_view import Outage
from producers.ports import HealthSource
from producers.references import Thing, brought, needed
from schemas.catalogue import ENDERS
from schemas.envelope import Event, decode, encode
from schemas.events import (
    ConversationMessage,
    ConversationParticipantJoined,
    ConversationParticipantLeft,
    ConversationStarted,
)
from schemas.meetings import ConferenceDeliveryFailed
from schemas.record import Record


class GateObserver(Protocol):
    """Who is told what the gate does. None of these may raise."""

    def changed(self, outage: Outage) -> None:
        """Something began to fail, or is well again; told as the next event comes."""

    def refused(self, event: Event, why: Refusal) -> None:
        """An event was not accepted, nor will be."""


@dataclass(slots=True)
class _Conversation:
    """What the gate knows of one: who is in it, how far it came, which of its sequences were refused, and what these
    had brought into it."""

    people: set[str] = field(default_factory=set)
    reached: int = 0
    refused: list[int] = field(default_factory=list)
    lacks: set[Thing] = field(default_factory=set)

    def place(self, sequence: int) -> int:
        """Return the number of what had this sequence before anything was refused."""
        return sequence - bisect_left(self.refused, sequence)

    def note(self, event: Event, why: Refusal | None) -> None:
        """Remember what the event brings, or what is lacking without it."""
        things = {Thing("event", event.sequence), *brought(event.data)}
        if why is None:
            self.lacks -= things  # a file may come again under its id
        else:
            insort(self.refused, event.sequence)
            self.lacks |= things


class Gate:
    """Decides for one event after the other, and numbers what it accepts."""

    def __init__(self, mode: CriticalMode) -> None:
        self._mode = mode
        self._open: dict[str, _Conversation] = {}
        self._never_began: set[str] = set()

    def pass_on(self, event: Event, outage: Outage) -> tuple[Event, Refusal | None]:
        """Return the event as it is accepted, and None; or as it came, and why it is refused.

        An accepted one has the sequence, and names the sequences, of what was accepted before it.
        """
        name = event.data.conversation
        if name in self._never_began:
            return event, Refusal.NEVER_BEGAN
        known = self._open.setdefault(name, _Conversation())
        why = self._decided(known, event, outage)
        if why is not None:
            if MATTERS[event.type] in {Matter.IM_BEGINS, Matter.CONFERENCE_BEGINS}:
                self._never_began.add(name)
                del self._open[name]
            return event, why
        known.reached = max(known.reached, event.sequence)
        _move(known.people, event)
        if event.type in ENDERS and not known.refused:
            del self._open[name]
        return _numbered(event, known), None

    def _decided(self, known: _Conversation, event: Event, outage: Outage) -> Refusal | None:
        matter = MATTERS[event.type]
        dangles = needed(event.data) in known.lacks
        if event.sequence in known.refused:
            if dangles:
                return Refusal.DANGLING
            return Refusal.IM_BLOCKED if matter is Matter.IM else Refusal.RESTRICTED
        if event.sequence <= known.reached:
            return None  # it is accepted already, under a number that others follow
        why = refusal(matter, known.people | _named(event), outage, self._mode)
        if why is None and dangles:
            why = Refusal.DANGLING
        known.note(event, why)
        return why


async def gated(
    records: AsyncIterable[Record], mode: CriticalMode, source: HealthSource, observer: GateObserver
) -> AsyncIterator[Record]:
    """Yield what is accepted, each as of the moment at which it comes. Raises RecordRejected for what is no event."""
    gate, before = Gate(mode), Outage()
    async for record in records:
        outage = source.outage()
        if outage != before:
            observer.changed(outage)
            before = outage
        event = decode(record, None)
        accepted, why = gate.pass_on(event, outage)
        if why is not None:
            observer.refused(event, why)
        elif accepted is event:
            yield record
        else:
            yield _encoded(record, accepted)


def _numbered(event: Event, known: _Conversation) -> Event:
    """Return the event, itself where all its numbers are right already."""
    sequence = known.place(event.sequence)
    changed: dict[str, int] = {}
    if event.type in ENDERS:
        changed = {"last_sequence": sequence}
    elif isinstance(event.data, ConferenceDeliveryFailed):
        changed = {"message": known.place(event.data.message)}
    if sequence == event.sequence:
        return event  # what it names lies before it, and has moved no further
    data = event.data.model_copy(update=changed) if changed else event.data
    return event._replace(sequence=sequence, data=data)


def _encoded(record: Record, event: Event) -> Record:
    moved = encode(event.id, event.source, event.at, event.sequence, event.data, record.topic)
    return moved._replace(partition=record.partition, timestamp_ms=record.timestamp_ms)


def _named(event: Event) -> set[str]:
    """Return the people whom an event brings into a two-party conversation, or who speaks there."""
    match event.data:
        case ConversationStarted(participants=participants, invited=invited):
            return {person.sip for person in (*participants, *invited)}
        case ConversationParticipantJoined(participant=participant):
            return {participant.sip}
        case ConversationMessage(sip=sip):
            return {sip}
        case _:
            return set()


def _move(people: set[str], event: Event) -> None:
    if isinstance(event.data, ConversationParticipantLeft):
        people.discard(event.data.sip)
    else:
        people |= _named(event)
