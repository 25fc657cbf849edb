"""Every event type there is: its name on the wire, its model, and the stream that carries it."""

from enum import StrEnum
from typing import Final

from schemas import events, meetings
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
    CONFERENCE_JOINED_V2 = "lync.conference.joined.v2"
    CONFERENCE_ROLE_CHANGED = "lync.conference.role-changed.v1"
    CONFERENCE_LOBBY_ENTERED = "lync.conference.lobby-entered.v1"
    CONFERENCE_LOBBY_ADMITTED = "lync.conference.lobby-admitted.v1"
    CONFERENCE_LOBBY_DENIED = "lync.conference.lobby-denied.v1"
    CONFERENCE_EJECTED = "lync.conference.ejected.v1"
    CONFERENCE_LOCKED = "lync.conference.locked.v1"
    CONFERENCE_MODALITY_JOINED = "lync.conference.modality-joined.v1"
    CONFERENCE_MODALITY_LEFT = "lync.conference.modality-left.v1"
    CONFERENCE_CONTENT_VISIBILITY = "lync.conference.content-visibility.v1"
    CONFERENCE_CONTENT_REMOVED = "lync.conference.content-removed.v1"
    CONFERENCE_POLL_OPENED = "lync.conference.poll-opened.v1"
    CONFERENCE_POLL_TALLIED = "lync.conference.poll-tallied.v1"
    CONFERENCE_POLL_VISIBILITY = "lync.conference.poll-visibility.v1"
    CONFERENCE_POLL_CLOSED = "lync.conference.poll-closed.v1"
    CONFERENCE_QUESTION_ASKED = "lync.conference.question-asked.v1"
    CONFERENCE_QUESTION_ANSWERED = "lync.conference.question-answered.v1"
    CONFERENCE_NOTES_LINKED = "lync.conference.notes-linked.v1"
    CONFERENCE_SHARING_STARTED = "lync.conference.sharing-started.v1"
    CONFERENCE_SHARING_STOPPED = "lync.conference.sharing-stopped.v1"
    CONFERENCE_DELIVERY_FAILED = "lync.conference.delivery-failed.v1"
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
    EventType.CONFERENCE_JOINED_V2: meetings.ConferenceJoinedV2,
    EventType.CONFERENCE_ROLE_CHANGED: meetings.ConferenceRoleChanged,
    EventType.CONFERENCE_LOBBY_ENTERED: meetings.ConferenceLobbyEntered,
    EventType.CONFERENCE_LOBBY_ADMITTED: meetings.ConferenceLobbyAdmitted,
    EventType.CONFERENCE_LOBBY_DENIED: meetings.ConferenceLobbyDenied,
    EventType.CONFERENCE_EJECTED: meetings.ConferenceEjected,
    EventType.CONFERENCE_LOCKED: meetings.ConferenceLocked,
    EventType.CONFERENCE_MODALITY_JOINED: meetings.ConferenceModalityJoined,
    EventType.CONFERENCE_MODALITY_LEFT: meetings.ConferenceModalityLeft,
    EventType.CONFERENCE_CONTENT_VISIBILITY: meetings.ConferenceContentVisibility,
    EventType.CONFERENCE_CONTENT_REMOVED: meetings.ConferenceContentRemoved,
    EventType.CONFERENCE_POLL_OPENED: meetings.ConferencePollOpened,
    EventType.CONFERENCE_POLL_TALLIED: meetings.ConferencePollTallied,
    EventType.CONFERENCE_POLL_VISIBILITY: meetings.ConferencePollVisibility,
    EventType.CONFERENCE_POLL_CLOSED: meetings.ConferencePollClosed,
    EventType.CONFERENCE_QUESTION_ASKED: meetings.ConferenceQuestionAsked,
    EventType.CONFERENCE_QUESTION_ANSWERED: meetings.ConferenceQuestionAnswered,
    EventType.CONFERENCE_NOTES_LINKED: meetings.ConferenceNotesLinked,
    EventType.CONFERENCE_SHARING_STARTED: meetings.ConferenceSharingStarted,
    EventType.CONFERENCE_SHARING_STOPPED: meetings.ConferenceSharingStopped,
    EventType.CONFERENCE_DELIVERY_FAILED: meetings.ConferenceDeliveryFailed,
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
