"""Entries: what a person reads of a conversation, one line an event."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, NamedTuple

from consumers.content import reference
from schemas import events as ev
from schemas import meetings as mt
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
    ROLE = "role"
    LOBBY = "lobby"
    EJECT = "eject"
    LOCK = "lock"
    MODALITY = "modality"
    CONTENT_REMOVED = "content-removed"
    POLL = "poll"
    POLL_RESULT = "poll-result"
    POLL_CLOSED = "poll-closed"
    QUESTION = "question"
    ANSWER = "answer"
    NOTES = "notes"
    SHARING = "sharing"
    DELIVERY_FAILED = "delivery-failed"


class Entry(NamedTuple):
    """One line: its place, its time (RFC 3339 UTC), what it is, who did it or whom it is about, and its text.

    What people wrote is verbatim. Of a shared file or whiteboard the text is its name, and `content` refers to it.
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
    mt.ConferenceJoinedV2: EntryKind.JOIN,
    mt.ConferenceRoleChanged: EntryKind.ROLE,
    mt.ConferenceLobbyEntered: EntryKind.LOBBY,
    mt.ConferenceLobbyAdmitted: EntryKind.LOBBY,
    mt.ConferenceLobbyDenied: EntryKind.LOBBY,
    mt.ConferenceEjected: EntryKind.EJECT,
    mt.ConferenceLocked: EntryKind.LOCK,
    mt.ConferenceModalityJoined: EntryKind.MODALITY,
    mt.ConferenceModalityLeft: EntryKind.MODALITY,
    mt.ConferenceContentVisibility: EntryKind.CONTENT,
    mt.ConferenceContentRemoved: EntryKind.CONTENT_REMOVED,
    mt.ConferencePollOpened: EntryKind.POLL,
    mt.ConferencePollTallied: EntryKind.POLL_RESULT,
    mt.ConferencePollVisibility: EntryKind.POLL_RESULT,
    mt.ConferencePollClosed: EntryKind.POLL_CLOSED,
    mt.ConferenceQuestionAsked: EntryKind.QUESTION,
    mt.ConferenceQuestionAnswered: EntryKind.ANSWER,
    mt.ConferenceNotesLinked: EntryKind.NOTES,
    mt.ConferenceSharingStarted: EntryKind.SHARING,
    mt.ConferenceSharingStopped: EntryKind.SHARING,
    mt.ConferenceDeliveryFailed: EntryKind.DELIVERY_FAILED,
}
"""The start and the end of a conversation or conference are times of the item, not lines of it."""


def entry_of(event: Event) -> Entry | None:
    """Return the line that an event makes, or None where it makes none."""
    kind = _KINDS.get(type(event.data))
    if kind is None:
        return None
    content = reference(event.data)
    text = content.name if content else _text(event.data)
    return Entry(event.sequence, event.at, kind, _author(event.data), text, content)


def _author(data: EventData) -> str:
    match data:
        case ev.ConversationParticipantJoined() | ev.ConferenceJoined() | ev.ConversationMissed() | ev.CallMissed():
            return data.participant.sip
        case mt.ConferenceJoinedV2() | mt.ConferenceLobbyEntered():
            return data.participant.sip
        case ev.CallStarted():
            return data.initiator
        case ev.CallEnded():
            return ""
        case _:
            return str(getattr(data, "sip", ""))


def _text(data: EventData) -> str:
    write = _TEXTS.get(type(data))
    return str(getattr(data, "text", "")) if write is None else write(data)


def _poll(data: mt.ConferencePollOpened) -> str:
    return "\n".join([data.question, *(f"{number}. {choice}" for number, choice in enumerate(data.choices, start=1))])


def _counts(data: mt.ConferencePollTallied | mt.ConferencePollVisibility) -> str:
    return ", ".join(map(str, data.tally))


_TEXTS: Final[dict[type[EventData], Callable[[Any], str]]] = {
    mt.ConferenceRoleChanged: lambda data: str(data.role),
    mt.ConferenceLobbyEntered: lambda _: "entered",
    mt.ConferenceLobbyAdmitted: lambda _: "admitted",
    mt.ConferenceLobbyDenied: lambda _: "denied",
    mt.ConferenceLocked: lambda data: "locked" if data.locked else "unlocked",
    mt.ConferenceModalityJoined: lambda data: f"joined {data.modality}",
    mt.ConferenceModalityLeft: lambda data: f"left {data.modality}",
    mt.ConferenceContentRemoved: lambda data: str(data.name),
    mt.ConferencePollOpened: _poll,
    mt.ConferencePollTallied: _counts,
    mt.ConferencePollVisibility: _counts,
    mt.ConferenceNotesLinked: lambda data: f"{data.title}\n{data.link}",
    mt.ConferenceSharingStarted: lambda data: f"started {data.sharing}",
    mt.ConferenceSharingStopped: lambda data: f"stopped {data.sharing}",
    mt.ConferenceDeliveryFailed: lambda data: ", ".join(data.recipients),
}
"""What a line says where that is not a text of the event's own."""
