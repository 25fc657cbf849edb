"""What events of one conversation refer to in it: other events by sequence, files, polls and questions."""

from typing import NamedTuple

from schemas import events as ev
from schemas import meetings as mt
from schemas.events import EventData


class Thing(NamedTuple):
    """Something that others of the conversation refer to: what it is, and its id there; of an event its sequence."""

    what: str
    id: str | int


def brought(data: EventData) -> tuple[Thing, ...]:
    """Return what an event brings into its conversation, that others may refer to, beside itself."""
    match data:
        case ev.ConferenceContentUploaded() | ev.ConferenceWhiteboardSnapshot():
            return (Thing("content", data.content.id),)
        case mt.ConferencePollOpened():
            return (Thing("poll", data.poll),)
        case mt.ConferenceQuestionAsked():
            return (Thing("question", data.question),)
        case _:
            return ()


def needed(data: EventData) -> Thing | None:
    """Return what must have come before the event, for it to be of anything."""
    match data:
        case mt.ConferenceDeliveryFailed():
            return Thing("event", data.message)
        case mt.ConferenceContentVisibility():
            return Thing("content", data.content.id)
        case mt.ConferenceContentRemoved():
            return Thing("content", data.id)
        case mt.ConferencePollTallied() | mt.ConferencePollVisibility() | mt.ConferencePollClosed():
            return Thing("poll", data.poll)
        case mt.ConferenceQuestionAnswered():
            return Thing("question", data.question)
        case _:
            return None
