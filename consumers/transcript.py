"""One item as its owner reads it: facts of the conversation, the people they met, and the lines they may see."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from consumers.conversation import Conversation
from consumers.entry import Entry, entry_of
from consumers.idle import idle_since
from consumers.item import Item, Visible
from consumers.roster import UNNAMED
from consumers.sequences import Ranges
from consumers.transitions import Kind
from consumers.visibility import sees, shown, stints
from schemas.envelope import Event
from schemas.events import Role
from schemas.times import parse_time


@dataclass(frozen=True, slots=True)
class Attendance:
    """A person whom the owner met: name, role, and when they came and went as far as the owner could see."""

    sip: str
    name: str
    role: Role
    joined: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Header:
    """An item and what its conversation adds to it. Times are RFC 3339 UTC; `gaps` are inclusive ranges."""

    item: Item
    ended_at: str | None
    complete: bool
    gaps: Ranges

    @property
    def kind(self) -> str:
        """What the item is of, in the contract's two words: a call is a conversation between two."""
        return "conference" if self.item.kind is Kind.CONFERENCE else "conversation"


def header(item: Item, conversation: Conversation) -> Header:
    """Return the item with what its conversation adds; needs no members."""
    ending = conversation.ending
    return Header(item, ending.at if ending else None, conversation.complete, conversation.gaps)


def attendances(item: Item, conversation: Conversation) -> tuple[Attendance, ...]:
    """Return the people of the conversation whom the item's owner could see, by first appearance.

    Those whose presence overlaps the owner's, those who were invited with the owner there, and the owner. When
    somebody left is given only where the owner could see it.
    """
    people = []
    for member in conversation.members.values():
        stays = stints(member.moves)
        seen = tuple(
            (stay.joined.at, stay.left.at if stay.left and sees(item.visible, stay.left.sequence) else None)
            for stay in stays
            if _overlap(item.visible, stay.joined.sequence, stay.left.sequence if stay.left else None)
        )
        invited = member.named_by != UNNAMED and sees(item.visible, member.named_by)
        if seen or invited or member.sip == item.mailbox:
            first = member.moves[0].sequence if member.moves else member.named_by
            people.append((first, Attendance(member.sip, member.name, member.role, seen)))
    return tuple(person for _, person in sorted(people, key=lambda pair: (pair[0], pair[1].sip)))


def lines(item: Item, events: Iterable[Event]) -> Iterator[Entry]:
    """Return the lines that the item's owner may see, given events in order of sequence."""
    for event in events:
        if shown(item, event):
            entry = entry_of(event)
            if entry is not None:
                yield entry


def _overlap(visible: Visible, first: int, last: int | None) -> bool:
    return any((end is None or first <= end) and (last is None or begin <= last) for begin, end in visible)


def idle_state(conversation: Conversation, watermark: datetime | None) -> str:
    """Return `ended`, `idle` where ten minutes passed in the lane's event time since the last event, or `open`."""
    if conversation.ending is not None:
        return "ended"
    last = parse_time(conversation.last_at)[1]
    return "open" if idle_since(last, watermark) is None else "idle"
