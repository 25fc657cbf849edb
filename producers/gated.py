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
from schemas.catalogue import ENDERS
from schemas.envelope import Event, decode, encode
from schemas.events import (
    ConversationMessage,
    ConversationParticipantJoined,
    ConversationParticipantLeft,
    ConversationStarted,
)
from schemas.record import Record


class GateObserver(Protocol):
    """Who is told what the gate does. None of these may raise."""

    def changed(self, outage: Outage) -> None:
        """Something began to fail, or is well again; told as the next event comes."""

    def refused(self, event: Event, why: Refusal) -> None:
        """An event was not accepted, nor will be."""


@dataclass(slots=True)
class _Conversation:
    """What the gate knows of one: who is in it, how far it came, and which of its sequences were refused."""

    people: set[str] = field(default_factory=set)
    reached: int = 0
    refused: list[int] = field(default_factory=list)


class Gate:
    """Decides for one event after the other, and numbers what it accepts."""

    def __init__(self, mode: CriticalMode) -> None:
        self._mode = mode
        self._open: dict[str, _Conversation] = {}
        self._never_began: set[str] = set()

    def pass_on(self, event: Event, outage: Outage) -> tuple[int, Refusal | None]:
        """Return the sequence that the event is accepted at, and None; or 0, and why it is refused."""
        name = event.data.conversation
        if name in self._never_began:
            return 0, Refusal.NEVER_BEGAN
        known = self._open.setdefault(name, _Conversation())
        why = self._decided(known, event, outage)
        if why is not None:
            if MATTERS[event.type] in {Matter.IM_BEGINS, Matter.CONFERENCE_BEGINS}:
                self._never_began.add(name)
                del self._open[name]
            return 0, why
        known.reached = max(known.reached, event.sequence)
        _move(known.people, event)
        if event.type in ENDERS and not known.refused:
            del self._open[name]
        return event.sequence - bisect_left(known.refused, event.sequence), None

    def _decided(self, known: _Conversation, event: Event, outage: Outage) -> Refusal | None:
        matter = MATTERS[event.type]
        if event.sequence in known.refused:
            return Refusal.IM_BLOCKED if matter is Matter.IM else Refusal.RESTRICTED
        if event.sequence <= known.reached:
            return None  # it is accepted already, under a number that others follow
        why = refusal(matter, known.people | _named(event), outage, self._mode)
        if why is not None:
            insort(known.refused, event.sequence)
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
        sequence, why = gate.pass_on(event, outage)
        if why is not None:
            observer.refused(event, why)
        elif sequence == event.sequence:
            yield record
        else:
            yield _numbered(record, event, sequence)


def _numbered(record: Record, event: Event, sequence: int) -> Record:
    data = event.data
    if event.type in ENDERS:
        data = data.model_copy(update={"last_sequence": sequence})
    moved = encode(event.id, event.source, event.at, sequence, data, record.topic)
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
