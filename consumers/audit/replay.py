"""A conversation replayed: what its events, commit by commit, must have come to. Pure.

It is the fold itself that is replayed, on the events alone: whatever else is stored of a conversation follows from
these, from who wrote each part of them, and from the policies as they were.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from consumers.audit.ledger import Ledger, Written
from consumers.batch import FirstUse
from consumers.content import Attachment, ContentState, claim
from consumers.conversation import Conversation
from consumers.copy import Copy
from consumers.draft import Draft
from consumers.fold import Gathered
from consumers.item import Item
from consumers.policy.decision import Target
from consumers.policy.governance import Governance
from consumers.segment import Segment
from consumers.transitions import KINDS
from schemas.envelope import Event


@dataclass(slots=True)
class Replayed:
    """Everything that must be stored of a conversation, and the entry that wrote each part last.

    Items that are `lapsed` are there no more, but where their user had deleted them. Copies that `went` at some time
    may have lost the mark of an export.
    """

    conversation: Conversation
    lane: str
    segments: list[tuple[Segment, Written]] = field(default_factory=list)
    items: dict[str, tuple[Item, Written]] = field(default_factory=dict)
    copies: dict[str, tuple[Copy, Written]] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    mailboxes: list[FirstUse] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    lapsed: set[str] = field(default_factory=set)
    went: set[str] = field(default_factory=set)


def replay(
    name: str,
    writes: Iterable[tuple[Written, list[Event]]],
    governance: Callable[[int], Governance],
    ledger: Ledger,
) -> Replayed:
    """Replay the events that each entry added to a conversation, in the order of the entries.

    `governance` gives the policies as of a number of their history. Raises IllegalRecord where the events do not make
    a history.
    """
    replayed: Replayed | None = None
    for written, events in writes:
        base = Conversation(name, KINDS[type(events[0].data)]) if replayed is None else replayed.conversation
        draft = Draft(base, limited=False)  # they are in another order here than they came in
        for event in sorted(events, key=lambda one: one.sequence):
            draft.add(event)
        gathered = Gathered(governance(written.policies))
        gathered.take(draft)
        if replayed is None:
            replayed = Replayed(base, written.lane)
        replayed.conversation, replayed.lane = gathered.conversations[0], written.lane
        replayed.segments += [(segment, written) for segment in gathered.segments]
        replayed.items.update((item.id, (item, written)) for item in gathered.items)
        replayed.lapsed.difference_update(item.id for item in gathered.items)
        replayed.lapsed.update(gathered.lapsed)
        _copy(replayed, gathered, written, ledger.purged.get(name, ()))
        replayed.attachments += _attachments(name, events, written, ledger)
        replayed.mailboxes += gathered.mailboxes
        replayed.hidden += gathered.hidden
    assert replayed is not None
    return replayed


def _copy(replayed: Replayed, gathered: Gathered, written: Written, purged: Iterable[str]) -> None:
    """A copy whose target is none is there no more, and one that was purged is never there again."""
    for copy in gathered.copies:
        if copy.target is Target.NONE or copy.item.mailbox in purged:
            if replayed.copies.pop(copy.item.id, None) is not None:
                replayed.went.add(copy.item.id)
        else:
            replayed.copies[copy.item.id] = (copy, written)


def _attachments(name: str, events: list[Event], written: Written, ledger: Ledger) -> Iterable[Attachment]:
    for event in events:
        claimed = claim(event.data)
        if claimed is None:
            continue
        place = (name, event.sequence)
        state = ContentState.STORED if place in ledger.healed else written.stubs.get(place, ContentState.STORED)
        yield Attachment(name, event.sequence, claimed, state)
