"""Entries: what a person reads of a conversation, one line an event."""

from enum import StrEnum
from typing import Final, NamedTuple

from consumers.content import reference
from schemas import events as ev
from schemas.envelope import Event
from schemas.events import ContentReference, EventData


class EntryKind(StrEnum):
    """What a line says."""

    MESSAGE = "message"
    TOPIC = "topic"
    CONTENT = "content"
    WHITEBOARD = "whiteboard"
    JOIN = "join"
    LEAVE = "leave"
    MISSED = "missed"
    CALL_START = "call-start"
    CALL_END = "call-end"


class Entry(NamedTuple):
    """One line: its place, its time (RFC 3339 UTC), what it is, who did it, and the text, verbatim.

    Of a shared file or whiteboard the text is its name, and `content` the reference to it.
    """

    sequence: int
    at: str
    kind: EntryKind
    sip: str
    text: str
    content: ContentReference | None = None


_KINDS: Final[dict[type[EventData], EntryKind]] = {
    ev.ConversationMessage: EntryKind.MESSAGE,
    ev.ConversationParticipantJoined: EntryKind.JOIN,
    ev.ConversationParticipantLeft: EntryKind.LEAVE,
    ev.ConversationMissed: EntryKind.MISSED,
    ev.CallStarted: EntryKind.CALL_START,
    ev.CallMissed: EntryKind.MISSED,
    ev.CallEnded: EntryKind.CALL_END,
    ev.ConferenceJoined: EntryKind.JOIN,
    ev.ConferenceLeft: EntryKind.LEAVE,
    ev.ConferenceMessage: EntryKind.MESSAGE,
    ev.ConferenceTopic: EntryKind.TOPIC,
    ev.ConferenceContentUploaded: EntryKind.CONTENT,
    ev.ConferenceWhiteboardSnapshot: EntryKind.WHITEBOARD,
}
"""The start and the end of a conversation or conference are times of the item, not lines of it."""


def entry_of(event: Event) -> Entry | None:
    """Return the line that an event makes, or None where it makes none."""
    kind = _KINDS.get(type(event.data))
    if kind is None:
        return None
    content = reference(event.data)
    text = content.name if content else getattr(event.data, "text", "")
    return Entry(event.sequence, event.at, kind, _author(event.data), text, content)


def _author(data: EventData) -> str:
    match data:
        case ev.ConversationParticipantJoined() | ev.ConferenceJoined() | ev.ConversationMissed() | ev.CallMissed():
            return data.participant.sip
        case ev.CallStarted():
            return data.initiator
        case ev.CallEnded():
            return ""
        case _:
            return str(getattr(data, "sip", ""))
