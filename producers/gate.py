"""Critical mode (BlockOnArchiveFailure): what the Lync side accepts while the archive cannot keep it. Pure.

| what fails | instant messages | conferences |
|---|---|---|
| the store | none by or to archived people, no new conversation of theirs | none begins; no message, no content |
| files alone | as ever | none begins; no content, messages as ever |

Comings, goings and endings are always accepted: nobody is kept in a room, and the record says who was there. Calls are
not archived but for having taken place, and are accepted too. What is not accepted takes no sequence, so that what is
accepted is whole (domain reference, section 1.6); nor is anything that refers to it: a file's removal, a poll's result,
an answer, a report that a message did not arrive.
"""

from collections.abc import Collection, Container
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from producers.health_view import Outage
from schemas.catalogue import EventType


class Matter(StrEnum):
    """What an event is to critical mode."""

    IM_BEGINS = auto()
    IM = auto()
    CONFERENCE_BEGINS = auto()
    CONFERENCE_IM = auto()
    CONFERENCE_CONTENT = auto()
    SIGNAL = auto()


MATTERS: Final[dict[EventType, Matter]] = {
    EventType.CONVERSATION_STARTED: Matter.IM_BEGINS,
    EventType.CONVERSATION_MESSAGE: Matter.IM,
    EventType.CONVERSATION_JOINED: Matter.SIGNAL,
    EventType.CONVERSATION_LEFT: Matter.SIGNAL,
    EventType.CONVERSATION_MISSED: Matter.SIGNAL,
    EventType.CONVERSATION_ENDED: Matter.SIGNAL,
    EventType.CALL_STARTED: Matter.SIGNAL,
    EventType.CALL_MISSED: Matter.SIGNAL,
    EventType.CALL_ENDED: Matter.SIGNAL,
    EventType.CONFERENCE_ACTIVATED: Matter.CONFERENCE_BEGINS,
    EventType.CONFERENCE_JOINED: Matter.SIGNAL,
    EventType.CONFERENCE_LEFT: Matter.SIGNAL,
    EventType.CONFERENCE_MESSAGE: Matter.CONFERENCE_IM,
    EventType.CONFERENCE_TOPIC: Matter.CONFERENCE_IM,
    EventType.CONFERENCE_CONTENT_UPLOADED: Matter.CONFERENCE_CONTENT,
    EventType.CONFERENCE_WHITEBOARD_SNAPSHOT: Matter.CONFERENCE_CONTENT,
    EventType.CONFERENCE_JOINED_V2: Matter.SIGNAL,
    EventType.CONFERENCE_ROLE_CHANGED: Matter.SIGNAL,
    EventType.CONFERENCE_LOBBY_ENTERED: Matter.SIGNAL,
    EventType.CONFERENCE_LOBBY_ADMITTED: Matter.SIGNAL,
    EventType.CONFERENCE_LOBBY_DENIED: Matter.SIGNAL,
    EventType.CONFERENCE_EJECTED: Matter.SIGNAL,
    EventType.CONFERENCE_LOCKED: Matter.SIGNAL,
    EventType.CONFERENCE_MODALITY_JOINED: Matter.SIGNAL,
    EventType.CONFERENCE_MODALITY_LEFT: Matter.SIGNAL,
    EventType.CONFERENCE_CONTENT_VISIBILITY: Matter.CONFERENCE_CONTENT,
    EventType.CONFERENCE_CONTENT_REMOVED: Matter.CONFERENCE_CONTENT,
    EventType.CONFERENCE_POLL_OPENED: Matter.CONFERENCE_CONTENT,
    EventType.CONFERENCE_POLL_TALLIED: Matter.CONFERENCE_CONTENT,
    EventType.CONFERENCE_POLL_VISIBILITY: Matter.CONFERENCE_CONTENT,
    EventType.CONFERENCE_POLL_CLOSED: Matter.CONFERENCE_CONTENT,
    EventType.CONFERENCE_QUESTION_ASKED: Matter.CONFERENCE_CONTENT,
    EventType.CONFERENCE_QUESTION_ANSWERED: Matter.CONFERENCE_CONTENT,
    EventType.CONFERENCE_NOTES_LINKED: Matter.CONFERENCE_CONTENT,
    EventType.CONFERENCE_SHARING_STARTED: Matter.SIGNAL,
    EventType.CONFERENCE_SHARING_STOPPED: Matter.SIGNAL,
    EventType.CONFERENCE_DELIVERY_FAILED: Matter.SIGNAL,
    EventType.CONFERENCE_ENDED: Matter.SIGNAL,
}
"""Every type, spelt out: a type that is missing would be a decision that nobody took."""


class Refusal(StrEnum):
    """Why something is not accepted."""

    IM_BLOCKED = "im-blocked"
    NOT_ACTIVATED = "conference-not-activated"
    RESTRICTED = "conference-restricted"
    NEVER_BEGAN = "never-began"
    DANGLING = "refers-to-refused"


class _Everybody:
    def __contains__(self, sip: object) -> bool:
        return True


EVERYBODY: Final[Container[str]] = _Everybody()
"""Where all users are archived."""


@dataclass(frozen=True, slots=True)
class CriticalMode:
    """`block` is BlockOnArchiveFailure; `archived` the SIP addresses of those whose instant messages are archived."""

    archived: Container[str]
    block: bool = True


def refusal(matter: Matter, people: Collection[str], outage: Outage, mode: CriticalMode) -> Refusal | None:
    """Return why something of this matter is not accepted now, None where it is.

    `people` are those of a two-party conversation: who is present, invited, and acts. A conference is archived for all
    that come to it, so whoever is there now does not matter.
    """
    if not mode.block or not (outage.store or outage.files):
        return None
    if matter is Matter.CONFERENCE_BEGINS:
        return Refusal.NOT_ACTIVATED
    if matter is Matter.CONFERENCE_CONTENT:
        return Refusal.RESTRICTED
    if outage.store and matter is Matter.CONFERENCE_IM:
        return Refusal.RESTRICTED
    if outage.store and matter in {Matter.IM_BEGINS, Matter.IM} and any(sip in mode.archived for sip in people):
        return Refusal.IM_BLOCKED
    return None
