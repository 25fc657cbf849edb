"""What a person may see: the one place that decides it.

An item says when its owner was present, when they were a presenter, and what did not reach them; an event, whom it is
for. All of it follows from the set of a conversation's events, in whatever order these came.
"""

from bisect import bisect_left
from typing import Final, NamedTuple

from consumers.conversation import Conversation, Member, Move
from consumers.item import Item, Visible
from consumers.transitions import Kind
from schemas import meetings
from schemas.catalogue import MODELS
from schemas.envelope import Event
from schemas.events import Audience, ConferenceMessage, EventData


class Stint(NamedTuple):
    """One stay: the move that began it, and the one that ended it, if any."""

    joined: Move
    left: Move | None


def stints(moves: tuple[Move, ...]) -> tuple[Stint, ...]:
    """Return the stays that these moves, in order of sequence, make up.

    A join of somebody present and a leave of somebody absent change nothing, and neither does a change of role.
    """
    stays: list[Stint] = []
    joined: Move | None = None
    for move in moves:
        if move.present and joined is None:
            joined = move
        elif move.present is False and joined is not None:
            stays.append(Stint(joined, move))
            joined = None
    if joined is not None:
        stays.append(Stint(joined, None))
    return tuple(stays)


def visible(conversation: Conversation, member: Member) -> Visible:
    """Return the sequences that this member may see: from each join to the leave that follows, both included.

    Somebody who never came and is reported as having missed the conversation sees its first message, which is what
    the invitation showed them (domain reference, section 9: a missed item without it is a known complaint).
    """
    stays = stints(member.moves)
    if stays:
        return tuple((stay.joined.sequence, stay.left.sequence if stay.left else None) for stay in stays)
    if member.missed is None or conversation.kind is not Kind.CONVERSATION or conversation.first_message is None:
        return ()
    return ((conversation.first_message, conversation.first_message),)


def presented(conversation: Conversation, member: Member) -> Visible:
    """Return the sequences at which this member has a presenter's role, be they present or not.

    The last coming or change of role up to a sequence says which role they have there, its own sequence included.
    """
    if conversation.kind is not Kind.CONFERENCE:
        return ()
    ranges: list[tuple[int, int | None]] = []
    since: int | None = None
    for move in member.moves:
        if move.presenter and since is None:
            since = move.sequence
        elif move.presenter is False and since is not None:
            ranges.append((since, move.sequence - 1))
            since = None
    if since is not None:
        ranges.append((since, None))
    return tuple(ranges)


def undelivered(conversation: Conversation, member: Member) -> tuple[int, ...]:
    """Return the sequences that failures to deliver name for this member, ascending; of them messages are withheld."""
    return conversation.undelivered.get(member.sip, ())


def shown(item: Item, event: Event) -> bool:
    """Return whether an item shows an event of its conversation to its owner, who must be present there.

    A message that did not reach them is not shown. That it failed to reach others is for its writer alone; what is for
    presenters, for those who have that role at its sequence.
    """
    sequence = event.sequence
    if not sees(item.visible, sequence):
        return False
    data = event.data
    model = type(data)
    if model is ConferenceMessage:
        return not _among(item.undelivered, sequence)
    if model is meetings.ConferenceDeliveryFailed:
        return data.sip == item.mailbox  # type: ignore[attr-defined,no-any-return]
    return not _for_presenters(data) or sees(item.presented, sequence)


def _for_presenters(data: EventData) -> bool:
    model = type(data)
    if model in _LOBBY:
        return True
    return model in _ADDRESSED and data.audience is Audience.PRESENTERS  # type: ignore[attr-defined]


_LOBBY: Final = frozenset(
    {meetings.ConferenceLobbyEntered, meetings.ConferenceLobbyAdmitted, meetings.ConferenceLobbyDenied}
)
_ADDRESSED: Final = frozenset(model for model in MODELS.values() if "audience" in model.model_fields)
"""The events that say whom they are for."""


def _among(ascending: tuple[int, ...], sequence: int) -> bool:
    index = bisect_left(ascending, sequence)
    return index < len(ascending) and ascending[index] == sequence


def sees(ranges: Visible, sequence: int) -> bool:
    """Return whether the ranges cover the sequence."""
    return any(first <= sequence and (last is None or sequence <= last) for first, last in ranges)
