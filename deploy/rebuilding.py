"""Composition of a rebuild: another archive from a recording or from Kafka, by the same lanes and on the same trust."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from consumers.archiver import Archiver
from consumers.audit.journal import Signer
from consumers.batch import Batch, Counts, LaneId
from consumers.mongo.changes import adopt_changes
from consumers.mongo.layout import Database, check, content_database, prepare
from consumers.mongo.origin import MongoOrigin
from consumers.mongo.partners import MongoPartners
from consumers.mongo.reader import MongoReader
from consumers.mongo.store import connect
from consumers.origin import Origin, OriginKind
from consumers.ports import Membership, RecordSource
from consumers.recorded_lanes import RecordedLanes
from consumers.recorded_source import CHANGED, RecordedSource
from deploy.archiving import kafka_source, lane_parts, topic_streams
from deploy.digest import Digest, digest
from deploy.errors import RebuildStopped, TargetRefused
from deploy.kafka_login import issuer_client
from deploy.observation import Observation
from deploy.settings import Settings, content_name, mongodb_uri
from deploy.signing import signer_of
from deploy.stack.acls import REBUILD_MARK
from deploy.trust import grants_of
from producers.recording import RecordedLine, Recording
from schemas.clock import Clock, SystemClock
from schemas.errors import LyncArchiverError, Misconfigured
from schemas.login import ARCHIVER, TokenSource
from schemas.record import Record

STOP_LOOKED_FOR: Final = 10_000
"""Records of a recording between two looks whether to stop."""


class LaneSource(RecordSource, Membership, Protocol):
    """Where records come from, and who has the lanes."""


@dataclass(frozen=True, slots=True)
class Records:
    """What to rebuild from: its origin, how many records are of other topics, and how to open it."""

    origin: Origin
    others: int
    open: Callable[[TokenSource], AbstractAsyncContextManager[LaneSource]]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What this run made of the records, how many were of topics that are not archived, and the whole archive."""

    counts: Counts
    others: int
    digest: Digest


async def rebuild(settings: Settings, file: Path | None, into: str, *, resume: bool, stop: asyncio.Event) -> Rebuilt:
    """Make the archive of a recording, or else of all that is in Kafka, in the database `into`; return its digest.

    What the archive in force trusts, the other comes to trust; they share the files of meetings, and nothing else.

    Raises TargetRefused where the database may not be written, RebuildStopped where `stop` was set before the end,
    RecordingDamaged before anything is written, and what `deploy.archiving.archive` does.
    """
    if into.casefold() == settings.mongodb.database.casefold():
        raise TargetRefused(f"database {into} is the archive in force; rebuild into another one")
    content = settings.content.model_copy(update={"database": content_name(settings)})  # files are not made again
    target = settings.model_copy(
        update={"mongodb": settings.mongodb.model_copy(update={"database": into}), "content": content}
    )
    clock = SystemClock()
    async with AsyncExitStack() as closing:
        database = connect(mongodb_uri(target), into)
        closing.callback(database.client.close)
        signer = signer_of(target)
        origins = MongoOrigin(database, clock, signer)
        await _refuse_occupied(database, origins, resume=resume)
        records = _in_kafka(target) if file is None else await asyncio.to_thread(_recorded, target, file, stop)
        await _admit(target, database, origins, records.origin)
        await _copy_trust(settings, database, clock, signer)
        counts = await _archive(target, database, records, stop)
        if stop.is_set():
            raise RebuildStopped(f"stopped before the end of the rebuild into {into}; --resume goes on with it")
        await origins.complete()
        return Rebuilt(counts, records.others, await digest(MongoReader(database)))


async def _refuse_occupied(database: Database, origins: MongoOrigin, *, resume: bool) -> None:
    if resume or await origins.empty():
        return
    raise TargetRefused(f"database {database.name} is not empty; --resume goes on with a rebuild that was stopped")


async def _admit(settings: Settings, database: Database, origins: MongoOrigin, origin: Origin) -> None:
    """Note the origin in an empty database; in another one it must be there and the same."""
    if await origins.empty():
        await origins.begin(origin)
    known = await origins.read()
    if known is None:
        raise TargetRefused(f"database {database.name} holds something that no rebuild began")
    if not known.same(origin):
        raise TargetRefused(f"database {database.name} was begun from other records; rebuild into an empty one")
    await check(database)
    await prepare(database, content_database(database, content_name(settings)))


async def _copy_trust(settings: Settings, database: Database, clock: Clock, signer: Signer) -> None:
    """Trust whom the archive in force trusts; who is disabled there is disabled here too, but not the reverse.

    And decide as it did: the history of its policies is copied too.
    """
    in_force = connect(mongodb_uri(settings), settings.mongodb.database)
    try:
        partners = await MongoPartners(in_force, clock, signer).partners()
        await adopt_changes(in_force, database, clock, signer)
    finally:
        in_force.client.close()
    if not partners:
        raise Misconfigured(
            f"archive {in_force.name} trusts no partner application, so nothing can be rebuilt on its trust; "
            "add one first: `lync-archiver partner add NAME --metadata-url URL`"
        )
    for partner in partners:
        await MongoPartners(database, clock, signer).put(partner)


async def _archive(settings: Settings, database: Database, records: Records, stop: asyncio.Event) -> Counts:
    clock, observer = SystemClock(), _StopAtHalt(stop)
    async with issuer_client(settings, ARCHIVER) as tokens, records.open(tokens) as source:
        grants = grants_of(settings, database, tokens, clock)
        await grants.current()  # a refusal at the start is the operator's to see, rather than a lane's to wait out
        if await source.ends():
            parts = lane_parts(settings, source, database, observer, clock, grants)
            await Archiver(parts, source, settings.archive.flush_timeout_s).run(stop, until_caught_up=True)
    return observer.observation.counts


class _StopAtHalt:
    """The `LaneObserver` of a rebuild: one lane that halts ends it, since the others would wait for it."""

    def __init__(self, stop: asyncio.Event) -> None:
        self.observation = Observation()
        self._stop = stop

    def committed(self, batch: Batch, duration_s: float) -> None:
        self.observation.committed(batch, duration_s)

    def delayed(self, lane: LaneId, error: LyncArchiverError) -> None:
        self.observation.delayed(lane, error)

    def halted(self, lane: LaneId, error: BaseException) -> None:
        self.observation.halted(lane, error)
        self._stop.set()


def _in_kafka(settings: Settings) -> Records:
    """Everything that is in Kafka, read in a group of its own, so that the archivers keep their lanes."""
    group = f"{settings.kafka.group}{REBUILD_MARK}{settings.mongodb.database}"
    own = settings.model_copy(update={"kafka": settings.kafka.model_copy(update={"group": group})})
    topics = tuple(sorted(topic_streams(settings)))
    return Records(Origin(OriginKind.KAFKA, topics), 0, lambda tokens: kafka_source(own, tokens))


def _recorded(settings: Settings, file: Path, stop: asyncio.Event) -> Records:
    """A recording, read once from end to end to learn its lanes and that it is whole. Raises RecordingDamaged."""
    topics = tuple(sorted(topic_streams(settings)))
    recording = Recording(file)
    lanes = RecordedLanes(topics)
    sha256 = _learn(recording.lines(), lanes, stop)

    @asynccontextmanager
    async def opened(_tokens: TokenSource) -> AsyncIterator[RecordedSource]:
        source = RecordedSource(lambda: unchanged(recording.lines(), sha256), lanes.lanes, SystemClock())
        try:
            yield source
            if not stop.is_set():
                await source.finish()
        finally:
            await source.close()

    return Records(Origin(OriginKind.RECORDING, topics, sha256), lanes.others, opened)


def _learn(found: Iterable[RecordedLine], lanes: RecordedLanes, stop: asyncio.Event) -> str:
    """Learn a recording's lanes and return the `sha256` that `recording info` prints."""
    digest_of_lines = hashlib.sha256()
    for number, (line, record) in enumerate(found):
        digest_of_lines.update(line + b"\n")
        lanes.add(record)
        if number % STOP_LOOKED_FOR == 0 and stop.is_set():
            raise RebuildStopped("stopped before anything was written")
    return digest_of_lines.hexdigest()


def unchanged(found: Iterable[RecordedLine], sha256: str) -> Iterator[Record]:
    """Yield the records; raise Misconfigured at the end where the lines were not those of this `sha256`."""
    digest_of_lines = hashlib.sha256()
    for line, record in found:
        digest_of_lines.update(line + b"\n")
        yield record
    if digest_of_lines.hexdigest() != sha256:
        raise Misconfigured(CHANGED)
