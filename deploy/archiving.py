"""Composition of one archiver process: settings in, lanes running, everything closed in order on the way out."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.routing import Route

from consumers.archiver import Archiver
from consumers.batch import Counts
from consumers.grant_keeper import GrantKeeper
from consumers.kafka_source import KafkaSource
from consumers.lane import LaneLimits, LaneParts
from consumers.mongo.content_store import MongoContent
from consumers.mongo.layout import Database, content_database, prepare
from consumers.mongo.origin import MongoOrigin
from consumers.mongo.store import MongoStore, connect
from consumers.origin import OriginKind
from consumers.policy.governing import Governing
from consumers.ports import LaneObserver, RecordSource
from consumers.quarantine_rate import RateLimit
from deploy.health import reporting_health
from deploy.kafka_login import issuer_client, tls_context
from deploy.observation import Observation
from deploy.policies import switches
from deploy.purging import purging_meanwhile
from deploy.retention import RetentionWatch, watching
from deploy.session_page import session_route
from deploy.settings import Settings, content_name, kafka_bootstrap, mongodb_uri
from deploy.signing import signer_of
from deploy.status_server import serving, status_app
from deploy.trust import Trust, auth_config, authority_of, trust_of
from schemas.catalogue import Stream
from schemas.clock import Clock, SystemClock
from schemas.errors import Misconfigured
from schemas.login import ARCHIVER, KafkaLogin, TokenSource

GC_THRESHOLDS: Final = (500_000, 20, 5)
"""A batch in the making is up to 100,000 objects, hardly any in a cycle: by default Python would walk it many times."""


async def archive(settings: Settings, *, until_caught_up: bool, stop: asyncio.Event) -> Counts:
    """Archive until stopped, or caught up with the ends at the start; return what became of the records.

    Raises Misconfigured, DependencyUnavailable where a server cannot be reached at the start, LaneHalted for a bug.
    """
    gc.set_threshold(*GC_THRESHOLDS)
    uri = mongodb_uri(settings)
    clock = SystemClock()
    observation = Observation()
    async with AsyncExitStack() as closing:
        database = connect(uri, settings.mongodb.database)
        closing.callback(database.client.close)
        await refuse_rebuilt_from_recording(MongoOrigin(database, clock, signer_of(settings)))
        await prepare(database, content_database(database, content_name(settings)))
        tokens = await closing.enter_async_context(issuer_client(settings, ARCHIVER))
        source = await closing.enter_async_context(kafka_source(settings, tokens))
        trust = trust_of(settings, database, clock)
        grants = GrantKeeper(authority_of(settings, trust, tokens, clock), clock)
        await grants.current()  # a refusal at the start is the operator's to see, rather than a lane's to wait out
        login = KafkaLogin(ARCHIVER, tokens, tls_context(settings))
        files = content_database(database, content_name(settings))
        lanes = await closing.enter_async_context(
            reporting_health(settings, database, files, observation, clock, login)
        )
        parts = lane_parts(settings, source, database, lanes, clock, grants)
        archiver = Archiver(parts, source, settings.archive.flush_timeout_s)
        limit = settings.archive.retention_warning_ratio
        await closing.enter_async_context(
            watching(RetentionWatch(lambda: archiver.lanes, source, observation, clock, limit))
        )
        await closing.enter_async_context(purging_meanwhile(settings, database, grants, clock))
        page = _session_page(settings, trust, clock)
        app = _status_app(archiver, lambda: observation.sample(archiver, source.lag), observation, grants, page)
        address = await closing.enter_async_context(serving(app, settings.http.host, settings.http.port))
        structlog.get_logger().info("archiver started", action="started", status=address)
        await archiver.run(stop, until_caught_up=until_caught_up)
    structlog.get_logger().info("archiver stopped", action="stopped", **observation.counts._asdict())
    return observation.counts


def _status_app(
    archiver: Archiver, sample: Callable[[], None], observation: Observation, grants: GrantKeeper, page: Route
) -> Starlette:
    return status_app(
        observation.registry,
        sample=sample,
        healthy=lambda: {"lanes": not archiver.halted},
        ready=lambda: {
            "lanes": not archiver.halted,
            "positions": all(lane.position is not None for lane in archiver.lanes),
            "grant": grants.alive,
        },
        more=[page],
    )


def _session_page(settings: Settings, trust: Trust, clock: Clock) -> Route:
    return session_route(
        config=auth_config(settings), check=trust.check, partners=trust.partners, sessions=trust.sessions, clock=clock
    )


@asynccontextmanager
async def kafka_source(settings: Settings, tokens: TokenSource) -> AsyncIterator[KafkaSource]:
    """Provide what is in Kafka for as long as the block runs. Raises what `KafkaSource.start` does."""
    kafka = settings.kafka
    login = KafkaLogin(ARCHIVER, tokens, tls_context(settings))
    bootstrap, topics = kafka_bootstrap(settings), topic_streams(settings)
    source = KafkaSource(bootstrap, kafka.group, topics, kafka.session_timeout_s, login)
    await source.start()
    try:
        yield source
    finally:
        await source.close()


async def refuse_rebuilt_from_recording(origins: MongoOrigin) -> None:
    """Raise Misconfigured where the archive's checkpoints are places in a recording: in Kafka they mean nothing."""
    origin = await origins.read()
    if origin is not None and origin.kind is OriginKind.RECORDING:
        raise Misconfigured(
            f"archive {origins.name} was rebuilt from a recording and cannot go on from Kafka; "
            "one made by `lync-archiver rebuild --from kafka` can"
        )


def lane_parts(
    settings: Settings,
    source: RecordSource,
    database: Database,
    observation: LaneObserver,
    clock: Clock,
    grants: GrantKeeper,
) -> LaneParts:
    """Return what the lanes of one process share, with the limits that are set."""
    limits = LaneLimits(
        batch_records=settings.archive.batch,
        batch_bytes=settings.archive.batch_bytes,
        record_bytes_max=settings.archive.record_bytes_max,
        quarantine=RateLimit(settings.archive.quarantine_rate_max, settings.archive.quarantine_window),
    )
    files = content_database(database, content_name(settings))
    contents = MongoContent(database, files, settings.content.item_bytes_max)
    store = MongoStore(database, clock, signer_of(settings), files)
    governing = Governing(store, switches(settings))
    return LaneParts(source, store, contents, grants, observation, clock, topic_streams(settings), limits, governing)


def topic_streams(settings: Settings) -> dict[str, Stream]:
    """Return the role of each topic that is archived."""
    return {
        settings.kafka.conversations_topic: Stream.CONVERSATIONS,
        settings.kafka.conferences_topic: Stream.CONFERENCES,
    }


@contextmanager
def stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """Set `stop` on SIGTERM and SIGINT, while the block runs."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def stop_at_end_of_input(stop: asyncio.Event) -> None:
    """Set `stop` when standard input ends: a worker does not outlive the process that started it."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 1):
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

    loop.add_reader(sys.stdin.fileno(), read)
