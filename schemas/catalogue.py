"""Every event type there is: its name on the wire, its model, and the stream that carries it."""

from enum import StrEnum
from typing import Final

from schemas import events
from schemas.events import EventData


class Stream(StrEnum):
    """A topic by its role; settings give each role a topic's name."""

    CONVERSATIONS = "conversations"
    CONFERENCES = "conferences"
    CONTACTS = "contacts"


class EventType(StrEnum):
    """The CloudEvents type: what happened, and the version of its data."""

    CONVERSATION_STARTED = "lync.conversation.started.v1"
    CONVERSATION_MESSAGE = "lync.conversation.message.v1"
    CONVERSATION_JOINED = "lync.conversation.participant-joined.v1"
    CONVERSATION_LEFT = "lync.conversation.participant-left.v1"
    CONVERSATION_MISSED = "lync.conversation.missed.v1"
    CONVERSATION_ENDED = "lync.conversation.ended.v1"
    CALL_STARTED = "lync.call.started.v1"
    CALL_MISSED = "lync.call.missed.v1"
    CALL_ENDED = "lync.call.ended.v1"
    CONFERENCE_ACTIVATED = "lync.conference.activated.v1"
    CONFERENCE_JOINED = "lync.conference.joined.v1"
    CONFERENCE_LEFT = "lync.conference.left.v1"
    CONFERENCE_MESSAGE = "lync.conference.message.v1"
    CONFERENCE_TOPIC = "lync.conference.topic.v1"
    CONFERENCE_CONTENT_UPLOADED = "lync.conference.content-uploaded.v1"
    CONFERENCE_WHITEBOARD_SNAPSHOT = "lync.conference.whiteboard-snapshot.v1"
    CONFERENCE_ENDED = "lync.conference.ended.v1"


MODELS: Final[dict[EventType, type[EventData]]] = {
    EventType.CONVERSATION_STARTED: events.ConversationStarted,
    EventType.CONVERSATION_MESSAGE: events.ConversationMessage,
    EventType.CONVERSATION_JOINED: events.ConversationParticipantJoined,
    EventType.CONVERSATION_LEFT: events.ConversationParticipantLeft,
    EventType.CONVERSATION_MISSED: events.ConversationMissed,
    EventType.CONVERSATION_ENDED: events.ConversationEnded,
    EventType.CALL_STARTED: events.CallStarted,
    EventType.CALL_MISSED: events.CallMissed,
    EventType.CALL_ENDED: events.CallEnded,
    EventType.CONFERENCE_ACTIVATED: events.ConferenceActivated,
    EventType.CONFERENCE_JOINED: events.ConferenceJoined,
    EventType.CONFERENCE_LEFT: events.ConferenceLeft,
    EventType.CONFERENCE_MESSAGE: events.ConferenceMessage,
    EventType.CONFERENCE_TOPIC: events.ConferenceTopic,
    EventType.CONFERENCE_CONTENT_UPLOADED: events.ConferenceContentUploaded,
    EventType.CONFERENCE_WHITEBOARD_SNAPSHOT: events.ConferenceWhiteboardSnapshot,
    EventType.CONFERENCE_ENDED: events.ConferenceEnded,
}

TYPES: Final[dict[type[EventData], EventType]] = {model: name for name, model in MODELS.items()}

STREAMS: Final[dict[EventType, Stream]] = {
    name: Stream.CONFERENCES if name.startswith("lync.conference.") else Stream.CONVERSATIONS for name in MODELS
}

OPENERS: Final = frozenset({EventType.CONVERSATION_STARTED, EventType.CALL_STARTED, EventType.CONFERENCE_ACTIVATED})
"""The types that have sequence 1, and no other type has it."""

ENDERS: Final = frozenset({EventType.CONVERSATION_ENDED, EventType.CALL_ENDED, EventType.CONFERENCE_ENDED})
"""The types whose `last_sequence` says how much there is to hold."""
