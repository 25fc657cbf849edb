"""A conversation while one batch is folded into it: a snapshot, and what the batch adds to it."""

from collections.abc import Callable
from typing import Final, cast

from consumers.conversation import Conversation, Ending, Opener, Opening
from consumers.policy.subject import pool_of
from consumers.roster import Roster
from consumers.sequences import count, holds, insert
from consumers.transitions import KINDS, NEXT
from consumers.undelivered import failed
from schemas import events as ev
from schemas import meetings as mt
from schemas.envelope import Event
from schemas.errors import Cause, IllegalRecord
from schemas.events import Role
from schemas.limits import GAPS_MAX, MOVES_MAX, PARTICIPANTS_MAX


class Draft:
    """Folds events into one conversation. The snapshot it starts from is never changed.

    `fresh` holds the events that the batch adds, by sequence; `top` is the highest sequence held, 0 for none. Where
    limits are not asked, no event is too much: those that were taken once, in whatever order, are taken again.
    """

    __slots__ = (
        "_base",
        "_ending",
        "_first_message",
        "_held",
        "_last_at",
        "_limited",
        "_messages",
        "_moves",
        "_opening",
        "_phase",
        "_roster",
        "_undelivered",
        "fresh",
        "kind",
        "top",
    )

    def __init__(self, base: Conversation, *, limited: bool = True) -> None:
        self._base = base
        self._limited = limited
        self.kind = base.kind
        self._phase = base.phase
        self._moves = NEXT[base.kind, base.phase]
        self._held = base.held
        self.top = base.held[-1][1] if base.held else 0
        self._opening = base.opening
        self._ending = base.ending
        self._first_message = base.first_message
        self._messages = base.messages
        self._last_at = base.last_at
        self._roster = Roster(base.members)
        self._undelivered = base.undelivered
        self.fresh: dict[int, Event] = {}

    @property
    def base(self) -> Conversation:
        """The snapshot that the batch started from."""
        return self._base

    @property
    def touched(self) -> set[str]:
        """The people whose item may have changed."""
        return self._roster.touched

    def holds(self, sequence: int) -> bool:
        """Return whether an event with this sequence is held, in the snapshot or in the batch."""
        return holds(self._held, sequence)

    def add(self, event: Event) -> None:
        """Add an event whose sequence is not held. Raises IllegalRecord, and changes nothing, where it does not fit."""
        model = type(event.data)
        phase = self._moves.get(model)
        if phase is None:
            raise IllegalRecord(Cause.ILLEGAL_TRANSITION, f"{event.type} cannot come in a {self._phase} {self.kind}")
        sequence = event.sequence
        newest = sequence > self.top
        if self._ending is not None and sequence > self._ending.sequence:
            raise IllegalRecord(Cause.AFTER_END, "the conversation ended with a lower sequence")
        if model in _ENDS and not newest:
            raise IllegalRecord(Cause.AFTER_END, "the end is below a sequence that is held")
        if model not in _NAMELESS and self._limited:
            self._check(event.data)
        held = insert(self._held, sequence)
        if len(held) > GAPS_MAX and self._limited:
            raise IllegalRecord(Cause.TOO_MANY_GAPS, f"the conversation has more than {GAPS_MAX} holes")
        if newest:
            self.top = sequence
            self._last_at = event.at
        if phase is not self._phase:
            self._phase = phase
            self._moves = NEXT[self.kind, phase]
        self._held = held
        self.fresh[sequence] = event
        if model in _MESSAGES:  # nearly always
            self._message(sequence)
        else:
            _EFFECTS[model](self, event)

    def finish(self, segments: int, head: bytes) -> Conversation:
        """Return the conversation after the batch, given its count of stored segments and their newest hash."""
        return Conversation(
            id=self._base.id,
            kind=self.kind,
            phase=self._phase,
            revision=self._base.revision + 1,
            segments=segments,
            head=head,
            held=self._held,
            opening=self._opening,
            ending=self._ending,
            first_message=self._first_message,
            messages=self._messages,
            last_at=self._last_at,
            members=self._roster.members,
            kept=self._base.kept,
            purged=self._base.purged,
            undelivered=self._undelivered,
        )

    def _check(self, data: ev.EventData) -> None:
        if type(data) is mt.ConferenceDeliveryFailed:
            failed(self._undelivered, data)
        else:
            self._check_people(data)

    def _check_people(self, data: ev.EventData) -> None:
        people = _people(data)
        if len(self._roster.members) + self._roster.unknown(people) > PARTICIPANTS_MAX:
            raise IllegalRecord(Cause.TOO_MANY_PARTICIPANTS, f"more than {PARTICIPANTS_MAX} people took part")
        # A leave of somebody who came is always taken: refused, it would let them see what follows. So is a demotion.
        if not (_takes_away(data) and not self._roster.unknown(people)) and self._full():
            raise IllegalRecord(Cause.TOO_MANY_MOVES, f"people came and went more than {MOVES_MAX} times")

    def _full(self, more: int = 0) -> bool:
        """Return whether nobody may come any more, or could not before these more events."""
        return count(self._held) - more - self._messages >= MOVES_MAX

    def _open(self, event: Event) -> None:
        data = event.data
        self._opening = Opening(event.at, cast("Opener", data), pool_of(event.source))
        if type(data) in _OPENERS:
            started = cast("ev.ConversationStarted", data)
            for person in started.participants:
                self._roster.come(person, event.sequence, event.at)
            for person in started.invited:
                self._roster.invite(person, event.sequence, event.at)
        self._roster.touch_all()  # subject and start are the opening event's to say

    def _end(self, event: Event) -> None:
        self._ending = Ending(event.sequence, event.at)

    def _message(self, sequence: int) -> None:
        self._messages += 1
        if self._first_message is None or sequence < self._first_message:
            self._first_message = sequence
            self._roster.touch_missed()

    def _keep(self, event: Event) -> None:
        """It has its place in the history and changes nothing else."""

    def _come(self, event: Event) -> None:
        self._roster.come(cast("ev.ConferenceJoined", event.data).participant, event.sequence, event.at)

    def _come_from(self, event: Event) -> None:
        data = cast("mt.ConferenceJoinedV2", event.data)
        self._roster.come(data.participant, event.sequence, event.at, data.origin)

    def _appoint(self, event: Event) -> None:
        data = cast("mt.ConferenceRoleChanged", event.data)
        self._roster.appoint(data.sip, data.role, event.sequence, event.at, full=self._full(1))

    def _go(self, event: Event) -> None:
        sip = cast("ev.ConferenceLeft", event.data).sip
        self._roster.go(sip, event.sequence, event.at, full=self._full(1))

    def _withhold(self, event: Event) -> None:
        data = cast("mt.ConferenceDeliveryFailed", event.data)
        after = failed(self._undelivered, data)
        if after != self._undelivered:
            self._undelivered = after
            self._roster.touch(data.recipients)

    def _miss(self, event: Event) -> None:
        self._roster.miss(cast("ev.ConversationMissed", event.data).participant, event.sequence, event.at)


_EFFECTS: Final[dict[type[ev.EventData], Callable[[Draft, Event], None]]] = {
    ev.ConversationStarted: Draft._open,
    ev.ConversationParticipantJoined: Draft._come,
    ev.ConversationParticipantLeft: Draft._go,
    ev.ConversationMissed: Draft._miss,
    ev.ConversationEnded: Draft._end,
    ev.CallStarted: Draft._open,
    ev.CallMissed: Draft._miss,
    ev.CallEnded: Draft._end,
    ev.ConferenceActivated: Draft._open,
    ev.ConferenceJoined: Draft._come,
    ev.ConferenceLeft: Draft._go,
    ev.ConferenceTopic: Draft._keep,
    ev.ConferenceContentUploaded: Draft._keep,
    ev.ConferenceWhiteboardSnapshot: Draft._keep,
    mt.ConferenceJoinedV2: Draft._come_from,
    mt.ConferenceRoleChanged: Draft._appoint,
    mt.ConferenceLobbyEntered: Draft._keep,
    mt.ConferenceLobbyAdmitted: Draft._keep,
    mt.ConferenceLobbyDenied: Draft._keep,
    mt.ConferenceEjected: Draft._go,
    mt.ConferenceLocked: Draft._keep,
    mt.ConferenceModalityJoined: Draft._keep,
    mt.ConferenceModalityLeft: Draft._keep,
    mt.ConferenceContentVisibility: Draft._keep,
    mt.ConferenceContentRemoved: Draft._keep,
    mt.ConferencePollOpened: Draft._keep,
    mt.ConferencePollTallied: Draft._keep,
    mt.ConferencePollVisibility: Draft._keep,
    mt.ConferencePollClosed: Draft._keep,
    mt.ConferenceQuestionAsked: Draft._keep,
    mt.ConferenceQuestionAnswered: Draft._keep,
    mt.ConferenceNotesLinked: Draft._keep,
    mt.ConferenceSharingStarted: Draft._keep,
    mt.ConferenceSharingStopped: Draft._keep,
    mt.ConferenceDeliveryFailed: Draft._withhold,
    ev.ConferenceEnded: Draft._end,
}
"""What each event but a message does beside taking its place; a test proves that every type has its effect."""

_MESSAGES: Final = frozenset({ev.ConversationMessage, ev.ConferenceMessage})
_ENDS: Final = frozenset({ev.ConversationEnded, ev.CallEnded, ev.ConferenceEnded})


def _people(data: ev.EventData) -> tuple[str, ...]:
    """Return who would become a member by this event. By exact type: `isinstance` is slow for pydantic's classes."""
    model = type(data)
    if model in _OPENERS:
        return tuple(person.sip for person in (*data.participants, *data.invited))  # type: ignore[attr-defined]
    if model in _LEAVES or model is mt.ConferenceRoleChanged:
        return (data.sip,)  # type: ignore[attr-defined]
    return (data.participant.sip,)  # type: ignore[attr-defined]


def _takes_away(data: ev.EventData) -> bool:
    """Return whether somebody sees less of what follows by this event."""
    model = type(data)
    return model in _LEAVES or (
        model is mt.ConferenceRoleChanged and data.role is Role.ATTENDEE  # type: ignore[attr-defined]
    )


_OPENERS: Final = frozenset({ev.ConversationStarted, ev.CallStarted})
_LEAVES: Final = frozenset({ev.ConversationParticipantLeft, ev.ConferenceLeft, mt.ConferenceEjected})
_NAMELESS: Final = (
    _ENDS | {model for model in KINDS if _EFFECTS.get(model, Draft._keep) is Draft._keep} | {ev.ConferenceActivated}
)
"""The events that make nobody a member, and nothing of whom has a limit."""
