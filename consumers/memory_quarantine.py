"""The quarantine in memory: the reference `QuarantineStore`, which tests run on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from consumers.batch import Batch, Counts, LaneId
from consumers.content import ContentState, Place
from consumers.grant import Grant
from consumers.memory_content import MemoryContent
from consumers.memory_store import MemoryStore
from consumers.policy.ports import latest
from consumers.ports import NotQuarantined, Stale
from consumers.quarantine import Handling, QuarantineEntry, State, entry_id, entry_place
from consumers.redrive import Redrive, Result
from consumers.tokens.memory_partners import MemoryPartners
from consumers.tokens.trust import check_trust
from schemas.clock import Clock
from schemas.errors import Cause


class MemoryQuarantine(MemoryStore):
    """The `QuarantineStore` beside an archive in memory."""

    def __init__(self, clock: Clock, partners: MemoryPartners, contents: MemoryContent | None = None) -> None:
        super().__init__(clock, partners, contents)
        self._entries: dict[str, QuarantineEntry] = {}
        self._redriven: datetime | None = None

    async def commit(self, grant: Grant, batch: Batch) -> None:
        await super().commit(grant, batch)
        now = self._clock.now()
        self._entries.update({entry_id(one.record, one.log): QuarantineEntry(one, now) for one in batch.quarantine})

    def entries(self) -> Sequence[QuarantineEntry]:
        """Return every entry, in whatever state, by its place in Kafka."""
        return sorted(self._entries.values(), key=lambda entry: entry_place(entry.id))

    async def stubs(self, places: Iterable[Place]) -> frozenset[Place]:
        return frozenset(
            place
            for place in places
            if place in self._attachments and self._attachments[place].state is not ContentState.STORED
        )

    async def lanes(self) -> Sequence[LaneId]:
        return list(self.checkpoints())

    async def page(
        self, lane: LaneId, cause: Cause | None, after: tuple[int, int], entries_max: int, bytes_max: int
    ) -> Sequence[QuarantineEntry]:
        found: list[QuarantineEntry] = []
        size = 0
        for entry in self.entries():
            place = entry_place(entry.id)
            open_ = entry.state is State.QUARANTINED and cause in {None, entry.entry.cause}
            if place.lane == lane and place[1:] > after and open_ and len(found) < entries_max and size < bytes_max:
                found.append(entry)
                size += len(entry.entry.record.key or b"") + len(entry.entry.record.value or b"")
        return found

    async def find(self, ids: Collection[str]) -> Mapping[str, QuarantineEntry]:
        return {name: self._entries[name] for name in ids if name in self._entries}

    async def redrive(self, grant: Grant, redrive: Redrive) -> None:
        batch = redrive.batch
        self._check(grant, redrive.reached())
        for result in redrive.results:
            stored = self._entries[result.entry.id]
            if (stored.state, stored.tries) != (State.QUARANTINED, result.entry.tries):
                raise Stale(f"entry {stored.id} was handled in the meantime")
        self._refuse_stale(batch)
        self._refuse_swept(redrive.present())
        for one in redrive.healed:
            if self._attachments[one.conversation, one.sequence].state is ContentState.STORED:
                raise Stale("an attachment was healed in the meantime")
        checkpoint = self._checkpoints[batch.lane]
        counts = Counts(*map(sum, zip(checkpoint.counts, redrive.moved, strict=True)))
        self._checkpoints[batch.lane] = replace(checkpoint, counts=counts)
        self._redriven = latest(self._redriven, batch.watermark)
        self._write(batch)
        self._attachments.update({(one.conversation, one.sequence): one for one in redrive.healed})
        self._entries.update({result.entry.id: self._handled(grant, result) for result in redrive.results})

    async def discard(self, grant: Grant, ids: Collection[str], reason: str) -> None:
        self._check(grant)
        for name in ids:
            if name not in self._entries or self._entries[name].state is not State.QUARANTINED:
                raise NotQuarantined(f"entry {name} is not quarantined")
        handled = Handling(self._clock.now(), grant.principal, grant.token_id, reason=reason)
        for name in ids:
            self._entries[name] = replace(self._entries[name], state=State.DISCARDED, handled=handled)

    def _reached(self) -> datetime | None:
        return latest(super()._reached(), self._redriven)

    def _check(self, grant: Grant, reached: Iterable[str] = ()) -> None:
        grant.check(self._clock.now(), reached)
        check_trust(grant, self._partners.find(grant.principal))

    def _handled(self, grant: Grant, result: Result) -> QuarantineEntry:
        entry = result.entry
        return replace(
            entry,
            entry=entry.entry._replace(cause=result.cause, detail=result.detail),
            state=State.QUARANTINED if result.outcome is None else State.REDRIVEN,
            tries=entry.tries + 1,
            handled=Handling(
                self._clock.now(),
                grant.principal,
                grant.token_id,
                outcome=result.outcome,
                replacement=result.replacement,
            ),
        )
