"""The archive in memory: the reference `ArchiveStore`, which tests run on and other adapters are compared with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from consumers.batch import ZERO, Batch, Checkpoint, Counts, FirstUse, LaneId, Quarantined
from consumers.content import Attachment, Claim, Place
from consumers.conversation import Conversation
from consumers.copy import Copy
from consumers.grant import Grant
from consumers.item import Item
from consumers.memory_content import MemoryContent
from consumers.missing import KeptOrder, SkipOrder
from consumers.policy.book import Change
from consumers.policy.decision import Target
from consumers.policy.memory_policies import MemoryPolicies
from consumers.ports import Fenced, Stale
from consumers.reading import NotFound
from consumers.segment import Segment
from consumers.tokens.memory_partners import MemoryPartners
from consumers.tokens.trust import check_trust
from schemas.clock import Clock
from schemas.envelope import Event

Named = tuple[str, str, str]
"""Who named a mailbox's owner first: time, conversation, and the name."""


class MemoryStore:
    """The `ArchiveStore` in dictionaries. A commit checks everything, then changes everything, without a pause."""

    def __init__(self, clock: Clock, partners: MemoryPartners, contents: MemoryContent | None = None) -> None:
        self.contents = contents or MemoryContent(clock)
        self.contents.refers = self._refers
        self._attachments: dict[Place, Attachment] = {}
        self._clock = clock
        self._partners = partners
        self._checkpoints: dict[LaneId, Checkpoint] = {}
        self._conversations: dict[str, Conversation] = {}
        self._segments: dict[tuple[str, int], Segment] = {}
        self._events: dict[tuple[str, int], Event] = {}
        self._items: dict[str, Item] = {}
        self._mailboxes: dict[str, Named] = {}
        self._quarantine: dict[tuple[str, int, int, int], Quarantined] = {}
        self._orders: list[KeptOrder] = []
        self._copies: dict[str, Copy] = {}
        self._deleted: set[str] = set()
        self.policies = MemoryPolicies(clock, partners, self._reached)

    async def checkpoint(self, lane: LaneId) -> Checkpoint | None:
        return self._checkpoints.get(lane)

    async def load(self, conversations: Iterable[str]) -> Mapping[str, Conversation]:
        return {name: self._conversations[name] for name in conversations if name in self._conversations}

    async def recall(self, places: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], Event]:
        wanted = set(places)
        if not wanted <= self._events.keys():
            raise Stale("a conversation was removed in the meantime")
        return {place: self._events[place] for place in wanted}

    async def policy_changes(self, after: int) -> Sequence[Change]:
        return [change for change in await self.policies.history() if change.number > after]

    async def commit(self, grant: Grant, batch: Batch) -> None:
        grant.check(self._clock.now(), batch.reached())
        counts = self._fence(batch)
        check_trust(grant, self._partners.find(grant.principal))
        self._refuse_stale(batch)
        self._refuse_swept(batch.present())
        self._checkpoints[batch.lane] = Checkpoint(batch.lane, batch.end, counts, batch.watermark, batch.log)
        self._write(batch)

    async def positions(self) -> Sequence[Checkpoint]:
        return list(self.checkpoints().values())

    async def skip(self, grant: Grant, order: SkipOrder) -> None:
        grant.check(self._clock.now(), ())
        stored = self._checkpoints.get(order.lane)
        if stored is None or (stored.next, stored.log) != (order.start, order.before):
            raise Fenced(f"the checkpoint of {order.lane} is not where the order was made for")
        check_trust(grant, self._partners.find(grant.principal))
        self._checkpoints[order.lane] = replace(stored, next=order.to, log=order.after)
        self._orders.append(KeptOrder(order, self._clock.now(), grant.principal, grant.token_id))

    async def orders(self) -> Sequence[KeptOrder]:
        return list(self._orders)

    async def delete(self, grant: Grant, user: str, item: str) -> None:
        grant.check(self._clock.now(), (user,))
        check_trust(grant, self._partners.find(grant.principal))
        if item not in {found.id for found in self.items(user)}:
            raise NotFound(f"mailbox {user} has no item {item}")
        self._deleted.add(item)

    def copies(self) -> Sequence[Copy]:
        """Return every archived copy, by mailbox and conversation."""
        return sorted(self._copies.values(), key=lambda copy: (copy.item.mailbox, copy.item.conversation))

    def mailboxes(self) -> Mapping[str, Named]:
        """Return every mailbox with what named its owner first."""
        return dict(sorted(self._mailboxes.items()))

    def items(self, mailbox: str | None = None) -> Sequence[Item]:
        """Return the items of a mailbox, or of all, by mailbox and conversation."""
        shown = [item for item in self._items.values() if item.id not in self._deleted]
        found = [item for item in shown if mailbox in {None, item.mailbox}]
        return sorted(found, key=lambda item: (item.mailbox, item.conversation))

    def conversations(self) -> Mapping[str, Conversation]:
        """Return every conversation by id."""
        return dict(sorted(self._conversations.items()))

    def segments(self, conversation: str) -> Sequence[Segment]:
        """Return a conversation's segments in the order of their commit."""
        found = [segment for segment in self._segments.values() if segment.conversation == conversation]
        return sorted(found, key=lambda segment: segment.ordinal)

    def events(self, conversation: str) -> Sequence[Event]:
        """Return a conversation's events in order of sequence."""
        found = [segment for segment in self._segments.values() if segment.conversation == conversation]
        return [event for segment in sorted(found, key=lambda segment: segment.first) for event in segment.events]

    def quarantine(self) -> Sequence[Quarantined]:
        """Return every quarantined record, by its place in Kafka."""
        return [self._quarantine[place] for place in sorted(self._quarantine)]

    def attachments(self) -> Sequence[Attachment]:
        """Return every attachment, by conversation and sequence."""
        return [self._attachments[place] for place in sorted(self._attachments)]

    def checkpoints(self) -> Mapping[LaneId, Checkpoint]:
        """Return every lane's checkpoint."""
        return dict(sorted(self._checkpoints.items()))

    def _fence(self, batch: Batch) -> Counts:
        """Return the lane's counts after the batch. Raises Fenced."""
        stored = self._checkpoints.get(batch.lane)
        if stored is not None and not _goes_on(stored, batch):
            raise Fenced(f"the checkpoint of {batch.lane} is not at {batch.start}")
        before = stored.counts if stored else ZERO
        return Counts(*map(sum, zip(before, batch.counts, strict=True)))

    def _reached(self) -> datetime | None:
        return max((point.watermark for point in self._checkpoints.values() if point.watermark), default=None)

    def _refuse_stale(self, batch: Batch) -> None:
        if batch.policies != self.policies.number:
            raise Stale("the policies are others by now")
        for segment in batch.segments:
            if (segment.conversation, segment.first) in self._segments:
                raise Stale("a segment is stored already")
        for conversation in batch.conversations:
            stored = self._conversations.get(conversation.id)
            if (stored.revision if stored else 0) != conversation.revision - 1:
                raise Stale("a stored conversation is at another revision")
        for entry in batch.quarantine:
            if _place(entry) in self._quarantine:
                raise AssertionError("a record is in quarantine already, though the fence let its batch pass")

    def _refuse_swept(self, claims: Iterable[Claim]) -> None:
        if not all(map(self.contents.verified, claims)):
            raise Stale("a file is not in the content store any more")

    def _refers(self, sha256: str) -> bool:
        attached = any(one.claim.sha256 == sha256 for one in self._attachments.values())
        return attached or any(sha256 in entry.refers for entry in self._quarantine.values())

    def _write(self, batch: Batch) -> None:
        self._attachments.update({(one.conversation, one.sequence): one for one in batch.attachments})
        for segment in batch.segments:
            self._segments[segment.conversation, segment.first] = segment
            self._events.update({(segment.conversation, event.sequence): event for event in segment.events})
        self._conversations.update({conversation.id: conversation for conversation in batch.conversations})
        self._items.update({item.id: item for item in batch.items})
        for name in batch.lapsed:
            self._items.pop(name, None)
        self._copies.update({copy.item.id: copy for copy in batch.copies})
        for copy in batch.copies:
            if copy.target is Target.NONE:
                del self._copies[copy.item.id]
        for entry in batch.quarantine:
            self._quarantine[_place(entry)] = entry
        for use in batch.mailboxes:
            self._name(use)

    def _name(self, use: FirstUse) -> None:
        """The name is the one of the earliest use, whichever is archived first."""
        named = (use.at, use.conversation, use.name)
        self._mailboxes[use.mailbox] = min(named, self._mailboxes.get(use.mailbox, named))


def _goes_on(stored: Checkpoint, batch: Batch) -> bool:
    same_topic = stored.log.topic_id in {None, batch.log.topic_id}
    return same_topic and (stored.next, stored.log.number) == (batch.start, batch.log.number)


def _place(entry: Quarantined) -> tuple[str, int, int, int]:
    return entry.record.topic, entry.record.partition, entry.record.offset, entry.log
