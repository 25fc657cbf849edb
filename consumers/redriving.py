"""Redriving: entries of the quarantine, oldest offset first in each lane, back into the archive."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from consumers.batch import LaneId
from consumers.content import claims
from consumers.decoding import Decoded, bounded, decode_all, portioned
from consumers.fold import NOTHING, recalls
from consumers.grant import GrantRefused
from consumers.grant_keeper import GrantKeeper
from consumers.lane import RETRY_S, LaneLimits
from consumers.policy.decision import Switches
from consumers.policy.governance import AS_READ
from consumers.policy.governing import Governing
from consumers.ports import ContentStore, QuarantineStore, Stale
from consumers.quarantine import Outcome, QuarantineEntry, State, entry_place
from consumers.reading import NotFound
from consumers.redrive import Attempt, refold
from schemas.catalogue import Stream
from schemas.clock import Clock
from schemas.envelope import Event
from schemas.errors import Cause, DependencyUnavailable, Misconfigured
from schemas.fingerprint import fingerprint
from schemas.record import Record

GIVE_UP_S: Final = 120.0
"""How long one batch is tried. A process that is killed leaves its transaction open, and what it wrote is locked until
MongoDB ends it: after 60 s of life, looked for every 30 s (`transactionLifetimeLimitSeconds`)."""

PAUSE_S_MAX: Final = 5.0
"""The longest pause between tries."""

FOUND_MAX: Final = 16
"""Entries read by id at once: their records may be as large as Kafka takes them."""


class Selection(NamedTuple):
    """Which entries are meant: these, those of a cause, or these as far as they have it; all where neither is given."""

    ids: tuple[str, ...] = ()
    cause: Cause | None = None


@dataclass(slots=True)
class Tally:
    """What became of entries: `quarantined` came back, `skipped` were not quarantined or not of the cause.

    `replaced` is how many of those tried had other bytes taken for them.
    """

    archived: int = 0
    duplicate: int = 0
    quarantined: int = 0
    skipped: int = 0
    replaced: int = 0

    def add(self, outcome: Outcome | None) -> None:
        """Count one entry that was tried."""
        match outcome:
            case Outcome.ARCHIVED:
                self.archived += 1
            case Outcome.DUPLICATE:
                self.duplicate += 1
            case None:
                self.quarantined += 1


class Redriver:
    """Tries each entry once: one that comes back is behind it. Archivers may run meanwhile, and other redrives."""

    def __init__(
        self,
        store: QuarantineStore,
        contents: ContentStore,
        grants: GrantKeeper,
        clock: Clock,
        streams: Mapping[str, Stream],
        limits: LaneLimits,
        switches: Switches = AS_READ,
    ) -> None:
        self._store = store
        self._governing = Governing(store, switches)
        self._contents = contents
        self._grants = grants
        self._clock = clock
        self._streams = streams
        self._limits = limits

    async def run(
        self,
        selection: Selection,
        replacements: Mapping[str, Record] | None = None,
        watch: Callable[[Tally], None] = lambda _: None,
    ) -> Tally:
        """Redrive the selected entries and return what became of them; `watch` is told after each batch.

        `replacements` has records by entry id whose key, headers and value are taken instead of the stored ones.
        Raises NotFound, before anything is written, where there is no entry of an id; Misconfigured for an entry of a
        topic that is not archived; Stale, GrantRefused or another DependencyUnavailable where trying again does not
        help: what was committed by then stays, and the same call goes on from there.
        """
        tally = Tally()
        async for lane, entries in self._pages(selection, tally):
            if lane.topic not in self._streams:
                raise Misconfigured(
                    f"topic {lane.topic}, of which records are quarantined, is not one that is archived"
                )
            for attempts in self._portions(entries, replacements or {}):
                await self._settle(lane, attempts, tally)
                watch(tally)
        return tally

    async def _pages(
        self, selection: Selection, tally: Tally
    ) -> AsyncIterator[tuple[LaneId, Sequence[QuarantineEntry]]]:
        if selection.ids:
            async for page in self._named_pages(selection, tally):
                yield page
            return
        limits = self._limits
        for lane in await self._store.lanes():
            after = (-1, 0)
            while entries := await self._store.page(
                lane, selection.cause, after, limits.batch_records, limits.batch_bytes
            ):
                yield lane, entries
                after = entries[-1].entry.record.offset, entries[-1].entry.log

    async def _named_pages(
        self, selection: Selection, tally: Tally
    ) -> AsyncIterator[tuple[LaneId, Sequence[QuarantineEntry]]]:
        names = _in_order(selection.ids)
        for few in _chunks(names):
            found = await self._store.find(few)
            absent = [name for name in few if name not in found]
            if absent:
                raise NotFound(f"the quarantine holds no record {absent[0]}")
        for lane, of_lane in groupby(names, key=lambda name: entry_place(name).lane):
            for few in _chunks(list(of_lane)):
                found = await self._store.find(few)
                entries = [found[name] for name in few if _meant(found[name], selection.cause)]
                tally.skipped += len(few) - len(entries)
                if entries:
                    yield lane, entries

    def _portions(
        self, entries: Sequence[QuarantineEntry], replacements: Mapping[str, Record]
    ) -> Iterator[list[Attempt]]:
        """Decode entries in portions that a batch may have."""
        left = iter(entries)  # a place may be there twice, of two logs: each record is told by its turn
        records = [_taken(entry, replacements.get(entry.id)) for entry in entries]
        for run in bounded(records, self._limits.batch_bytes):
            decoded = decode_all(run, self._streams, self._limits.record_bytes_max)
            for portion in portioned(decoded, self._limits.batch_items):
                yield [_attempt(next(left), one, replacements) for one in portion]

    async def _settle(self, lane: LaneId, attempts: list[Attempt], tally: Tally) -> None:
        """Commit attempts; those that a try of unknown outcome, or somebody else, settled count as what they became."""
        tally.replaced += sum(attempt.replacement is not None for attempt in attempts)
        pending, pause_s = attempts, RETRY_S
        give_up = self._clock.monotonic() + GIVE_UP_S
        while True:
            try:
                if pause_s > RETRY_S:
                    pending = await self._pending(pending, tally)
                if pending:
                    await self._commit(lane, pending, tally)
                return
            except (Stale, DependencyUnavailable):
                if self._clock.monotonic() >= give_up:
                    raise
                await self._clock.sleep(pause_s)
                pause_s = min(2 * pause_s, PAUSE_S_MAX)

    async def _pending(self, attempts: list[Attempt], tally: Tally) -> list[Attempt]:
        """Return the attempts whose entries are as they were read, and count the others."""
        pending: list[Attempt] = []
        settled: list[QuarantineEntry] = []
        for start in range(0, len(attempts), FOUND_MAX):
            few = attempts[start : start + FOUND_MAX]
            found = await self._store.find([attempt.entry.id for attempt in few])
            for attempt in few:
                now = found[attempt.entry.id]
                if (now.state, now.tries) == (attempt.entry.state, attempt.entry.tries):
                    pending.append(attempt)
                else:
                    settled.append(now)
        for entry in settled:  # only once all are read: a read that fails is made again
            if entry.state is State.DISCARDED:
                tally.skipped += 1
            else:
                tally.add(entry.handled.outcome if entry.handled else None)
        return pending

    async def _commit(self, lane: LaneId, attempts: list[Attempt], tally: Tally) -> None:
        decoded = [attempt.decoded for attempt in attempts]
        await self._governing.refresh()
        known = await self._store.load({event.data.conversation for _, event in decoded if isinstance(event, Event)})
        places = recalls(decoded, known)
        recalled = await self._store.recall(places) if places else {}
        claimed = claims(decoded)
        contents = await self._contents.inspect(claimed) if claimed else NOTHING
        stubs = await self._store.stubs(places) if claimed and places else frozenset()
        redrive = refold(lane, attempts, known, recalled, contents, stubs, self._governing.current)
        grant = await self._grants.current()
        try:
            await self._store.redrive(grant, redrive)
        except GrantRefused:
            self._grants.forget(grant)
            raise
        for result in redrive.results:
            tally.add(result.outcome)


def _in_order(names: Sequence[str]) -> list[str]:
    """Return ids, each once, by lane and offset. Raises NotFound for what is no place in Kafka."""
    for name in names:
        try:
            entry_place(name)
        except ValueError as error:
            raise NotFound(f"the quarantine holds no record {name}") from error
    return sorted(set(names), key=entry_place)


def _meant(entry: QuarantineEntry, cause: Cause | None) -> bool:
    return entry.state is State.QUARANTINED and cause in {None, entry.entry.cause}


def _taken(entry: QuarantineEntry, replacement: Record | None) -> Record:
    """Return the record to decode: the stored one, or the replacement's bytes at the stored one's place."""
    stored = entry.entry.record
    if replacement is None:
        return stored
    return stored._replace(key=replacement.key, headers=replacement.headers, value=replacement.value)


def _attempt(entry: QuarantineEntry, decoded: Decoded, replacements: Mapping[str, Record]) -> Attempt:
    return Attempt(entry, decoded, fingerprint(decoded.record) if entry.id in replacements else None)


def _chunks(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), FOUND_MAX):
        yield names[start : start + FOUND_MAX]
