"""What the Lync side reports: one frozen model a type, version 1 of each.

A model is the JSON value of a record; its type, id, time and sequence are in the envelope (`schemas.envelope`).
Adding a field, even an optional one, is a new schema version: readers forbid what they do not know.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.identifiers import (
    ConferenceUri,
    ContentId,
    ConversationId,
    DisplayName,
    FileName,
    InstanceId,
    MediaType,
    Sha256,
    SipAddress,
    ThreadId,
)
from schemas.limits import PARTICIPANTS_MAX, SEQUENCE_MAX, SUBJECT_CHARS_MAX, TEXT_CHARS_MAX

Text = Annotated[str, StringConstraints(max_length=TEXT_CHARS_MAX)]
Subject = Annotated[str, StringConstraints(max_length=SUBJECT_CHARS_MAX)]


class Role(StrEnum):
    """A participant's role (Lync CDR `Roles`: 1 presenter, 2 attendee)."""

    PRESENTER = "presenter"
    ATTENDEE = "attendee"


class Contract(BaseModel):
    """The rules every model of the contract shares: immutable, strict types, nothing unknown."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Participant(Contract):
    """A person as the conversation knows them."""

    sip: SipAddress
    name: DisplayName
    role: Role = Role.ATTENDEE


People = Annotated[tuple[Participant, ...], Field(max_length=PARTICIPANTS_MAX)]


class EventData(Contract):
    """What every event says: the conversation, call or conference occurrence that it belongs to."""

    conversation: ConversationId


class ConversationStarted(EventData):
    """A two-party conversation begins. `participants` are present from here on; `invited` were asked and are not."""

    thread: ThreadId
    initiator: SipAddress
    participants: People
    invited: People = ()


class ConversationMessage(EventData):
    """Somebody typed a message."""

    sip: SipAddress
    text: Text
    format: Literal["plain", "html"] = "plain"


class ConversationParticipantJoined(EventData):
    """Somebody accepted the invitation, or came back; a repetition changes nothing."""

    participant: Participant


class ConversationParticipantLeft(EventData):
    """Somebody closed the window, signed out or lost the connection; what follows is not theirs to see."""

    sip: SipAddress


class ConversationMissed(EventData):
    """Somebody who was invited never answered: a missed conversation that holds the first message."""

    participant: Participant


class EndReason(StrEnum):
    """Why a conversation or conference is over."""

    CLOSED = "closed"
    ESCALATED = "escalated"


class ConversationEnded(EventData):
    """The conversation is over. `last_sequence` is this event's own sequence: all there is to hold."""

    last_sequence: Annotated[int, Field(ge=1, le=SEQUENCE_MAX)]
    reason: EndReason = EndReason.CLOSED


class Modality(StrEnum):
    """What a call carries. Its content is never archived, only that it took place."""

    AUDIO = "audio"
    VIDEO = "video"


class CallStarted(EventData):
    """A call begins: metadata only. `participants` are connected; `invited` are being called."""

    thread: ThreadId
    initiator: SipAddress
    modality: Modality = Modality.AUDIO
    participants: People
    invited: People = ()


class CallMissed(EventData):
    """Somebody did not take the call."""

    participant: Participant


class CallEnded(EventData):
    """The call is over. `last_sequence` is this event's own sequence."""

    last_sequence: Annotated[int, Field(ge=1, le=SEQUENCE_MAX)]
    duration_s: Annotated[int, Field(ge=0, le=31_536_000)] = 0


class ConferenceActivated(EventData):
    """A conference occurrence begins; nobody is present yet.

    `conference_uri` is the same for all occurrences of a recurring meeting, `instance` differs. `escalated_from`
    names the two-party conversation that a conference grew out of; both have the same `thread`.
    """

    thread: ThreadId
    conference_uri: ConferenceUri = ""
    instance: InstanceId = ""
    organizer: Participant | None = None
    subject: Subject = ""
    escalated_from: ConversationId | None = None


class ConferenceJoined(EventData):
    """Somebody is present from here on; a repetition changes nothing."""

    participant: Participant


class ConferenceLeft(EventData):
    """Somebody is gone; what follows is not theirs to see."""

    sip: SipAddress


class ConferenceMessage(EventData):
    """Somebody typed a message to all who are present."""

    sip: SipAddress
    text: Text
    format: Literal["plain", "html"] = "plain"


class ConferenceTopic(EventData):
    """Somebody set the topic; it is shown to all who are present."""

    sip: SipAddress
    text: Text


class Audience(StrEnum):
    """Who of those present may see something. Who is a presenter follows from roles by sequence, as presence does."""

    EVERYONE = "everyone"
    PRESENTERS = "presenters"


class ContentReference(Contract):
    """The claim check of a file: what it is called, and the size in bytes and digest that its bytes must have."""

    id: ContentId
    name: FileName
    media_type: MediaType
    size: Annotated[int, Field(ge=0, le=SEQUENCE_MAX)]
    sha256: Sha256


class ConferenceContentUploaded(EventData):
    """Somebody shared a file; its bytes are in the content store before this is said."""

    sip: SipAddress
    content: ContentReference
    audience: Audience = Audience.EVERYONE


class ConferenceWhiteboardSnapshot(EventData):
    """What stood on a whiteboard, as a picture in the content store."""

    sip: SipAddress
    content: ContentReference
    audience: Audience = Audience.EVERYONE


class ConferenceEnded(EventData):
    """The conference occurrence is over. `last_sequence` is this event's own sequence."""

    last_sequence: Annotated[int, Field(ge=1, le=SEQUENCE_MAX)]
    reason: EndReason = EndReason.CLOSED
