"""Composition of one archiver process: settings in, lanes running, everything closed in order on the way out."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Final

import structlog
from starlette.routing import Route

from consumers.archiver import Archiver
from consumers.batch import Counts
from consumers.grant_keeper import GrantKeeper
from consumers.kafka_source import KafkaSource
from consumers.lane import LaneLimits, LaneParts
from consumers.mongo.content import MongoContent
from consumers.mongo.layout import Database, content_database, prepare
from consumers.mongo.store import MongoStore, connect
from deploy.kafka_login import issuer_client, tls_context
from deploy.observation import Observation
from deploy.session_page import session_route
from deploy.settings import Settings, content_name, kafka_bootstrap, mongodb_uri
from deploy.status_server import serving, status_app
from deploy.trust import Trust, auth_config, authority_of, trust_of
from schemas.catalogue import Stream
from schemas.clock import Clock, SystemClock
from schemas.login import ARCHIVER, KafkaLogin

GC_THRESHOLDS: Final = (500_000, 20, 100)
"""A batch in the making is up to 100,000 objects, hardly any in a cycle: by default Python would walk it many times."""


async def archive(settings: Settings, *, until_caught_up: bool, stop: asyncio.Event) -> Counts:
    """Archive until stopped, or caught up with the ends at the start; return what became of the records.

    Raises Misconfigured, DependencyUnavailable where a server cannot be reached at the start, LaneHalted for a bug.
    """
    gc.set_threshold(*GC_THRESHOLDS)
    bootstrap, uri = kafka_bootstrap(settings), mongodb_uri(settings)
    clock = SystemClock()
    observation = Observation()
    async with AsyncExitStack() as closing:
        database = connect(uri, settings.mongodb.database)
        closing.callback(database.client.close)
        await prepare(database, content_database(database, content_name(settings)))
        tokens = await closing.enter_async_context(issuer_client(settings, ARCHIVER))
        kafka, topics = settings.kafka, topic_streams(settings)
        login = KafkaLogin(ARCHIVER, tokens, tls_context(settings))
        source = KafkaSource(bootstrap, kafka.group, topics, kafka.session_timeout_s, login)
        await source.start()
        closing.push_async_callback(source.close)
        trust = trust_of(settings, database, clock)
        grants = GrantKeeper(authority_of(settings, trust, tokens, clock), clock)
        await grants.current()  # a refusal at the start is the operator's to see, rather than a lane's to wait out
        parts = _parts(settings, source, database, observation, clock, grants)
        archiver = Archiver(parts, source, settings.archive.flush_timeout_s)
        app = status_app(
            observation.registry,
            sample=lambda: observation.sample(archiver, source.lag),
            healthy=lambda: {"lanes": not archiver.halted},
            ready=lambda: {
                "lanes": not archiver.halted,
                "positions": all(lane.position is not None for lane in archiver.lanes),
                "grant": grants.alive,
            },
            more=[_session_page(settings, trust, clock)],
        )
        address = await closing.enter_async_context(serving(app, settings.http.host, settings.http.port))
        structlog.get_logger().info("archiver started", action="started", status=address)
        await archiver.run(stop, until_caught_up=until_caught_up)
    structlog.get_logger().info("archiver stopped", action="stopped", **observation.counts._asdict())
    return observation.counts


def _session_page(settings: Settings, trust: Trust, clock: Clock) -> Route:
    return session_route(
        config=auth_config(settings), check=trust.check, partners=trust.partners, sessions=trust.sessions, clock=clock
    )


def _parts(
    settings: Settings,
    source: KafkaSource,
    database: Database,
    observation: Observation,
    clock: Clock,
    grants: GrantKeeper,
) -> LaneParts:
    limits = LaneLimits(
        batch_records=settings.archive.batch,
        batch_bytes=settings.archive.batch_bytes,
        record_bytes_max=settings.archive.record_bytes_max,
    )
    files = content_database(database, content_name(settings))
    contents = MongoContent(database, files, settings.content.item_bytes_max)
    store = MongoStore(database, clock, files)
    return LaneParts(source, store, contents, grants, observation, clock, topic_streams(settings), limits)


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
