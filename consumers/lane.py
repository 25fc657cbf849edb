"""A lane: one partition, strictly in order, from its checkpoint on. Fetch, decode, fold, commit, again.

While one batch commits, the next is fetched, decoded and folded on top of it. Nothing but the store's checkpoint says
how far the lane has come: after any doubt it forgets what it knows and begins again from there.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from consumers.batch import Batch, Checkpoint, LaneId
from consumers.content import claims
from consumers.conversation import Conversation
from consumers.decoding import Decoded, bounded, decode_all, portioned
from consumers.fold import NOTHING, fold, passing, recalls
from consumers.grant import GrantRefused
from consumers.grant_keeper import GrantKeeper
from consumers.missing import Loss, Missing, missing
from consumers.policy.governing import Governing
from consumers.ports import (
    ArchiveStore,
    ContentStore,
    Fenced,
    LaneObserver,
    RecordsGone,
    RecordSource,
    Stale,
    TopicMadeAgain,
)
from consumers.quarantine_rate import DEFAULT_RATE, RateLimit, Refusals, count_refusals
from consumers.stopping import unless_stopped
from consumers.working_set import WorkingSet
from schemas.catalogue import Stream
from schemas.clock import Clock
from schemas.envelope import Event
from schemas.errors import DependencyUnavailable
from schemas.limits import RECORD_BYTES_MAX
from schemas.record import Record

BACKOFF_S_MAX: Final = 30.0
"""The longest pause between tries of a step: long enough to let a server start, short enough to notice that it did."""

RETRY_S: Final = 0.05
"""The first pause after losing a race for a checkpoint or a conversation; the winner needs about that long."""

BACKOFF_DOUBLINGS_MAX: Final = 10
"""Pauses stop doubling here; the longest pause is reached before."""


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """How much a lane takes at once: records, bytes and items of a batch, bytes of a record, conversations at hand.

    And how many of its latest records may go to quarantine.
    """

    batch_records: int = 4000
    batch_bytes: int = 8 * 1024 * 1024
    batch_items: int = 10_000
    record_bytes_max: int = RECORD_BYTES_MAX
    conversations_max: int = 8_000
    conversation_parts_max: int = 200_000
    quarantine: RateLimit = DEFAULT_RATE


@dataclass(frozen=True, slots=True)
class LaneParts:
    """What all lanes of a process share."""

    source: RecordSource
    store: ArchiveStore
    contents: ContentStore
    grants: GrantKeeper
    observer: LaneObserver
    clock: Clock
    streams: Mapping[str, Stream]
    limits: LaneLimits
    governing: Governing


class Lane:
    """Archives one partition until it is told to stop. `position` is the checkpoint as last committed."""

    def __init__(self, lane: LaneId, parts: LaneParts) -> None:
        self.id = lane
        self.position: Checkpoint | None = None
        self._parts = parts
        self._stop = asyncio.Event()
        self._failures = 0
        self._known = WorkingSet(parts.limits.conversations_max, parts.limits.conversation_parts_max)
        self._refusals = Refusals()
        self._waiting: deque[tuple[int, int]] = deque()

    @property
    def oldest_waiting_ms(self) -> int | None:
        """The Kafka timestamp of the oldest record that was fetched and is not archived, None where there is none."""
        return self._waiting[0][1] if self._waiting else None

    def stop(self) -> None:
        """Ask the lane to finish what it has begun to commit, and to end."""
        self._stop.set()

    async def run(self) -> None:
        """Archive until stopped. Raises what trying again does not help, with nothing of its batch committed.

        That is a bug, RecordsGone, QuarantineOverflow, and whatever else is Misconfigured.
        """
        while not self._stop.is_set():
            try:
                await self._resume()
                await self._archive()
            except (Fenced, Stale, DependencyUnavailable) as error:
                self._parts.observer.delayed(self.id, error)
                first_s = error.retry_after_s if isinstance(error, DependencyUnavailable) else RETRY_S
                pause_s = min(first_s * 2**self._failures, BACKOFF_S_MAX)
                await unless_stopped(self._stop, self._parts.clock.sleep(pause_s))
                self._failures = min(self._failures + 1, BACKOFF_DOUBLINGS_MAX)

    async def _resume(self) -> None:
        """Forget everything and begin at the checkpoint; without one, at the oldest record there is."""
        self._known.clear()
        await self._parts.governing.refresh()
        checkpoint = await self._parts.store.checkpoint(self.id)
        topic_id = await self._parts.source.topic_id(self.id)
        first, end = await self._parts.source.bounds(self.id)
        if checkpoint is None:
            checkpoint = Checkpoint(self.id, first)
        _refuse(missing(checkpoint, topic_id, first, end))
        self._parts.source.seek(self.id, checkpoint.next)
        self.position = replace(checkpoint, log=checkpoint.log._replace(topic_id=topic_id))
        self._waiting.clear()

    async def _archive(self) -> None:
        """Keep one commit under way while the next batch is made."""
        assert self.position is not None
        ahead, refusals = self.position, self._refusals
        commit: asyncio.Task[None] | None = None
        try:
            while not self._stop.is_set():
                records = await self._fetch()
                if records is None:
                    break  # and no look at the position: the fetch that was given up may have moved it
                await self._check_next(records, ahead)
                if records:
                    self._waiting.append((records[-1].offset + 1, records[0].timestamp_ms))
                for decoded in self._portions(records):
                    batch = await self._fold(ahead, decoded, commit)
                    taken = [one.record for one in decoded]
                    refusals = count_refusals(refusals, self._parts.limits.quarantine, taken, batch.quarantine)
                    await _done(commit)
                    commit = self._committing(batch, refusals)
                    ahead = _after(ahead, batch)
                if not records:
                    await _done(commit)
                    passed = await self._markers(ahead)
                    if passed is not None:
                        commit = self._committing(passed, refusals)
                        ahead = _after(ahead, passed)
            await _done(commit)
        finally:
            # A commit that has begun is waited for, also when the lane is cancelled or the next batch failed; and where
            # the lane is cut off here, it goes on, for the driver is not to be stopped amid a transaction.
            if commit is not None:
                await asyncio.shield(asyncio.gather(commit, return_exceptions=True))

    def _portions(self, records: Sequence[Record]) -> Iterator[list[Decoded]]:
        """Decode records in portions that a batch may have; each is decoded when it is asked for."""
        limits = self._parts.limits
        for run in bounded(records, limits.batch_bytes):
            yield from portioned(decode_all(run, self._parts.streams, limits.record_bytes_max), limits.batch_items)

    async def _fetch(self) -> Sequence[Record] | None:
        """Return the next records, or None when the lane is told to stop."""
        fetch = self._parts.source.fetch(self.id, self._parts.limits.batch_records)
        return await unless_stopped(self._stop, fetch)

    async def _markers(self, ahead: Checkpoint) -> Batch | None:
        """Return the batch that moves past offsets which hold no record, if there are any.

        Raises RecordsGone where they held some that expired.
        """
        position = await self._parts.source.position(self.id)
        if position <= ahead.next:
            return None
        await self._check_log(ahead)
        return passing(ahead, position, self._parts.governing.current)

    async def _check_next(self, records: Sequence[Record], ahead: Checkpoint) -> None:
        """Raise RecordsGone where records were skipped: the client begins elsewhere, unasked, once they expired."""
        if records and records[0].offset != ahead.next:
            await self._check_log(ahead)  # which is in order where Kafka's own markers lie in between
            if records[0].offset < ahead.next:
                raise DependencyUnavailable(f"{self.id} was read from an offset that is archived already")

    async def _check_log(self, ahead: Checkpoint) -> None:
        """Raise RecordsGone where the log does not go on at `ahead`."""
        topic_id = await self._parts.source.topic_id(self.id)
        _refuse(missing(ahead, topic_id, *await self._parts.source.bounds(self.id)))

    async def _fold(self, ahead: Checkpoint, decoded: list[Decoded], commit: asyncio.Task[None] | None) -> Batch:
        """Fold records on top of `ahead`, which the commit under way will have made true."""
        names = dict.fromkeys(event.data.conversation for _, event in decoded if isinstance(event, Event))
        known = await self._conversations(names.keys())
        places = recalls(decoded, known)
        if places:
            await _done(commit)  # what it writes may be recalled, and where it is missed the lane starts over
        recalled = await self._parts.store.recall(places) if places else {}
        claimed = claims(decoded)
        contents = await self._parts.contents.inspect(claimed) if claimed else NOTHING
        batch = fold(ahead, decoded, known, recalled, contents, self._parts.governing.current)
        self._known.add(batch.conversations)
        return batch

    async def _conversations(self, names: Collection[str]) -> Mapping[str, Conversation]:
        """Return those of the conversations that exist: all of them, however few the working set may keep."""
        missing = self._known.missing(names)
        known = {name: self._known[name] for name in names if name in self._known}
        if missing:
            loaded = await self._parts.store.load(missing)
            known.update(loaded)
            self._known.add(loaded.values())
        return known

    def _committing(self, batch: Batch, refusals: Refusals) -> asyncio.Task[None]:
        return asyncio.create_task(self._commit(batch, refusals), name=f"commit {self.id}")

    async def _commit(self, batch: Batch, refusals: Refusals) -> None:
        """Commit the batch, or raise what keeps it from being committed."""
        started = self._parts.clock.monotonic()
        grant = await self._parts.grants.current()
        # Asked after the fetch: while the id is the same, what was fetched is of that topic.
        if await self._parts.source.topic_id(self.id) != batch.log.topic_id:
            raise Fenced(f"the topic of {self.id} was made again while it was read")
        try:
            await self._parts.store.commit(grant, batch)
        except GrantRefused:
            self._parts.grants.forget(grant)
            raise
        self.position = _after(Checkpoint(self.id, batch.start) if self.position is None else self.position, batch)
        self._failures = 0
        self._refusals = refusals
        while self._waiting and self._waiting[0][0] <= batch.end:
            self._waiting.popleft()
        self._parts.source.mark(self.id, batch.end)
        self._parts.observer.committed(batch, self._parts.clock.monotonic() - started)


def _after(checkpoint: Checkpoint, batch: Batch) -> Checkpoint:
    counts = type(batch.counts)(*map(sum, zip(checkpoint.counts, batch.counts, strict=True)))
    return Checkpoint(checkpoint.lane, batch.end, counts, batch.watermark, batch.log)


def _refuse(found: Missing | None) -> None:
    if found is not None:
        raise (TopicMadeAgain if found.loss is Loss.MADE_AGAIN else RecordsGone)(str(found))


async def _done(commit: asyncio.Task[None] | None) -> None:
    """Wait for the commit and raise what it raised."""
    if commit is not None:
        await asyncio.shield(commit)
