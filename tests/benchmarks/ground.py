"""What the benchmarks stand on: a stack, topics that are filled once, and archives that are thrown away."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from consumers.archiver import Archiver
from consumers.batch import Batch, LaneId
from consumers.grant_keeper import GrantKeeper
from consumers.kafka_source import KafkaSource
from consumers.lane import LaneLimits, LaneParts
from consumers.mongo.content_store import MongoContent
from consumers.mongo.layout import Database, content_database, prepare
from consumers.mongo.partners import MongoPartners
from consumers.mongo.store import MongoStore, connect
from consumers.policy.governing import Governing
from deploy.stack.acls import Pattern, ensure_acls
from deploy.stack.local import RunningStack
from deploy.stack.topics import ensure_topics
from producers.kafka_publisher import KafkaPublisher
from producers.topics import Topics
from schemas.catalogue import Stream
from schemas.clock import SystemClock
from schemas.content_limits import ITEM_BYTES_MAX
from schemas.login import ADMIN, ARCHIVER, PRODUCER
from schemas.record import Record
from tests.support.audit import SIGNER
from tests.support.trust import PARTNER, ReadyAuthority

PREFIX: Final = "bench-"
"""What the names of topics and groups begin with."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Records and the seconds from the first that was fetched to the last that was committed."""

    records: int
    seconds: float

    @property
    def a_second(self) -> float:
        return self.records / self.seconds


class Stopwatch:
    """The `LaneObserver` that notes when the last batch was committed, and a source wrapper's first fetch."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.last = 0.0
        self.records = 0

    def fetched(self) -> None:
        """A fetch brought records."""
        if self.first is None:
            self.first = time.perf_counter()

    def committed(self, batch: Batch, duration_s: float) -> None:
        self.last = time.perf_counter()
        self.records += batch.counts.total

    def delayed(self, lane: LaneId, error: Exception) -> None:
        raise AssertionError(f"a benchmark met trouble in {lane}: {error!r}")

    def halted(self, lane: LaneId, error: BaseException) -> None:
        raise AssertionError(f"a benchmark's lane {lane} halted") from error

    def rate(self) -> Rate:
        """Return what was measured."""
        assert self.first is not None
        return Rate(self.records, self.last - self.first)


class TimedSource(KafkaSource):
    """The real source, with a stopwatch at its first record."""

    watch: Stopwatch

    async def fetch(self, lane: LaneId, records_max: int) -> Sequence[Record]:
        records = await super().fetch(lane, records_max)
        if records:
            self.watch.fetched()
        return records


async def filled(stack: RunningStack, records: Iterable[Record]) -> Topics:
    """Make topics and publish the records, whose topics are the default names, into them."""
    mark = uuid4().hex[:8]
    topics = Topics(*(f"{PREFIX}{mark}.{name}" for name in ("conversations", "conferences", "contacts")))
    admin = stack.login(ADMIN)
    await ensure_topics(stack.bootstrap, topics, SystemClock(), login=admin)
    await ensure_acls(stack.bootstrap, admin, [PREFIX], PREFIX, Pattern.PREFIXED)
    async with KafkaPublisher(stack.bootstrap, stack.login(PRODUCER)) as publisher:
        await publisher.publish(_into(topics, records))
    return topics


async def _into(topics: Topics, records: Iterable[Record]) -> AsyncIterator[Record]:
    names = {"lync.conversations": topics.conversations, "lync.conferences": topics.conferences}
    for record in records:
        yield record._replace(topic=names[record.topic], partition=-1)


@asynccontextmanager
async def archive_database(stack: RunningStack) -> AsyncIterator[Database]:
    """A prepared, empty archive that is dropped afterwards."""
    database = connect(stack.mongodb_uri, f"bench_{uuid4().hex[:8]}")
    try:
        await prepare(database)
        await MongoPartners(database, SystemClock(), SIGNER).put(PARTNER)
        yield database
        for one in (database, content_database(database)):
            await database.client.drop_database(one.name)
    finally:
        database.client.close()


async def archived(stack: RunningStack, topics: Mapping[str, Stream], database: Database, batch: int) -> Rate:
    """Archive all that is in the topics with the product's own parts and return the rate."""
    clock, watch = SystemClock(), Stopwatch()
    login = stack.login(ARCHIVER)
    source = TimedSource(stack.bootstrap, f"{PREFIX}{uuid4().hex[:8]}", topics, session_timeout_s=10, login=login)
    source.watch = watch
    await source.start()
    try:
        grants = GrantKeeper(ReadyAuthority(), clock)
        limits = LaneLimits(batch_records=batch)
        contents = MongoContent(database, content_database(database), ITEM_BYTES_MAX)
        store = MongoStore(database, clock, SIGNER)
        parts = LaneParts(source, store, contents, grants, watch, clock, topics, limits, Governing(store))
        await Archiver(parts, source, flush_timeout_s=20).run(asyncio.Event(), until_caught_up=True)
    finally:
        await source.close()
    return watch.rate()
