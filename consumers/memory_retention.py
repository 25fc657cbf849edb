"""Purges and sweeps in memory: the reference `RetentionStore`, which tests run on."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from consumers.batch import Batch, LaneId
from consumers.conversation import Conversation
from consumers.copy import Copy
from consumers.grant import Grant
from consumers.memory_content import MemoryContent
from consumers.memory_store import MemoryStore
from consumers.policy.decision import Target
from consumers.policy.ports import Purge, Unclaimed
from consumers.policy.retention import EVER, ArchivedCopy, Remains
from consumers.ports import Stale
from consumers.tokens.memory_partners import MemoryPartners
from consumers.tokens.trust import check_trust
from consumers.transitions import Kind
from schemas.clock import Clock
from schemas.times import parse_time


class MemoryRetention(MemoryStore):
    """The `RetentionStore` beside an archive in memory. `purges` are those that were made, in their order."""

    def __init__(self, clock: Clock, partners: MemoryPartners, contents: MemoryContent | None = None) -> None:
        super().__init__(clock, partners, contents)
        self.purges: list[Purge] = []
        self._exported: dict[str, int] = {}
        self._ran: datetime | None = None
        self._lanes: dict[str, LaneId] = {}

    async def commit(self, grant: Grant, batch: Batch) -> None:
        await super().commit(grant, batch)
        self._lanes.update(dict.fromkeys((conversation.id for conversation in batch.conversations), batch.lane))

    async def unclaimed(self, which: Unclaimed, after: str, at_most: int) -> Sequence[Remains]:
        names = [
            name
            for name, found in self.conversations().items()
            if name > after
            and not found.removed
            and (found.purged if which is Unclaimed.PURGED else found.kind is Kind.CONFERENCE and not found.kept)
        ]
        return [self._remains(name) for name in names[:at_most]]

    async def archived(
        self, before: datetime, after: tuple[datetime | None, str] | None, at_most: int
    ) -> Sequence[Remains]:
        names = {copy.item.conversation for copy in self._copies.values() if copy.target is Target.LYNC}
        found = sorted((self._remains(name) for name in names), key=_place)
        behind = None if after is None else (after[0] or EVER, after[1])
        return [one for one in found if _place(one)[0] < before and (behind is None or _place(one) > behind)][:at_most]

    async def look(self, conversation: str) -> Remains | None:
        found = self._conversations.get(conversation)
        return None if found is None or found.removed else self._remains(conversation)

    async def purge(self, grant: Grant, purge: Purge) -> None:
        grant.check(self._clock.now(), purge.mailboxes)
        check_trust(grant, self._partners.find(grant.principal))
        before = self._conversations.get(purge.conversation)
        if before is None or before.removed or before.revision != purge.revision:
            raise Stale("the conversation is at another revision")
        if purge.policies != self.policies.number:
            raise Stale("the policies are others by now")
        gone = self._purged(purge)
        if purge.frees and (self._claims(purge.conversation, gone) or self._seen(purge.conversation)):
            raise Stale("somebody has a claim to the conversation")
        for copy in gone:
            del self._copies[copy.item.id]
            self._exported.pop(copy.item.id, None)
        if purge.frees:
            self._remove(before)
        else:
            purged = before.purged.union(purge.mailboxes)
            self._conversations[before.id] = before._replace(purged=purged, revision=before.revision + 1)
        self.purges.append(purge)

    async def daily_ran(self) -> datetime | None:
        return self._ran

    async def note_daily(self, at: datetime) -> None:
        self._ran = max(self._ran or at, at)

    async def mark_exported(self, grant: Grant, segments: Mapping[str, int]) -> int:
        grant.check(self._clock.now(), ())
        check_trust(grant, self._partners.find(grant.principal))
        new = {name: number for name, number in segments.items() if name in self._copies}
        new = {name: number for name, number in new.items() if self._exported.get(name) != number}
        self._exported.update(new)
        return len(new)

    def _purged(self, purge: Purge) -> list[Copy]:
        """Return the copies that are to go. Raises Stale where one is not in Lync's archive."""
        found = {
            copy.item.mailbox: copy
            for copy in self._copies.values()
            if copy.item.conversation == purge.conversation and copy.target is Target.LYNC
        }
        if not found.keys() >= set(purge.mailboxes):
            raise Stale("a copy is not in Lync's archive any more")
        return [found[mailbox] for mailbox in purge.mailboxes]

    def _claims(self, conversation: str, gone: Iterable[Copy]) -> list[Copy]:
        lost = {copy.item.id for copy in gone}
        return [
            copy
            for copy in self._copies.values()
            if copy.item.conversation == conversation and copy.item.id not in lost
        ]

    def _seen(self, conversation: str) -> bool:
        return any(item.conversation == conversation for item in self.items())

    def _remove(self, before: Conversation) -> None:
        name = before.id
        self._conversations[name] = Conversation(
            id=name,
            kind=before.kind,
            phase=before.phase,
            revision=before.revision + 1,
            segments=before.segments,
            head=before.head,
            held=before.held,
            ending=before.ending,
            removed=True,
        )
        self._segments = {place: one for place, one in self._segments.items() if place[0] != name}
        self._events = {place: one for place, one in self._events.items() if place[0] != name}
        self._attachments = {place: one for place, one in self._attachments.items() if place[0] != name}
        self._items = {item: one for item, one in self._items.items() if one.conversation != name}

    def _remains(self, name: str) -> Remains:
        copies = self._claims(name, ())
        point = self._checkpoints[self._lanes[name]]
        begins = [copy.item.started_at for copy in copies if copy.item.started_at]
        return Remains(
            conversation=self._conversations[name],
            copies=tuple(
                ArchivedCopy(copy.item.id, copy.item.mailbox, copy.target, self._exported.get(copy.item.id))
                for copy in sorted(copies, key=lambda copy: copy.item.id)
            ),
            seen=self._seen(name),
            watermark=point.watermark,
            started=parse_time(begins[0])[1] if begins else None,
        )


def _place(remains: Remains) -> tuple[datetime, str]:
    return remains.started or EVER, remains.conversation.id
