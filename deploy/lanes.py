"""Composition of the lanes' administration: what every lane lacks, and orders to go on without it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from consumers.batch import Checkpoint, LaneId
from consumers.kafka_source import KafkaSource
from consumers.missing import KeptOrder, Missing, SkipOrder, missing, skip_order
from consumers.mongo.lanes import MongoLanes
from consumers.mongo.layout import check, content_database, prepare
from consumers.mongo.store import connect
from consumers.reading import NotFound
from deploy.archiving import topic_streams
from deploy.kafka_login import issuer_client, tls_context
from deploy.settings import Settings, content_name, kafka_bootstrap, mongodb_uri
from deploy.signing import signer_of
from deploy.trust import grants_of
from schemas.clock import SystemClock
from schemas.login import ARCHIVER, KafkaLogin


class LaneState(NamedTuple):
    """A lane as archive and Kafka have it: where it is, if it ever began, what its log holds, and what that lacks."""

    lane: LaneId
    checkpoint: Checkpoint | None
    topic_id: str
    first: int
    end: int
    missing: Missing | None

    @property
    def lag(self) -> int:
        """How many offsets of the log are not archived; of another topic's log, all."""
        same = self.checkpoint is not None and self.missing is None
        return self.end - (self.checkpoint.next if same and self.checkpoint else self.first)


async def lane_states(settings: Settings) -> Sequence[LaneState]:
    """Return the state of every lane there is in Kafka. Raises Misconfigured, DependencyUnavailable."""
    async with _source(settings) as source, _lanes(settings) as lanes:
        stored = {checkpoint.lane: checkpoint for checkpoint in await lanes.positions()}
        return [await _state(source, lane, stored.get(lane)) for lane in sorted(await source.ends())]


async def kept_orders(settings: Settings) -> Sequence[KeptOrder]:
    """Return every order there ever was, the oldest first."""
    async with _lanes(settings) as lanes:
        return await lanes.orders()


async def skip(settings: Settings, lane: LaneId, to: int | None, reason: str) -> SkipOrder:
    """Let a lane go on at the oldest offset there is, on the archiver's own token; keep who said so and why.

    Raises NotMissing where records would be given up that are there, or `to` is another offset; Fenced where the lane
    moved meanwhile; NotFound where there is no such lane; GrantRefused.
    """
    clock = SystemClock()
    async with _source(settings) as source, _lanes(settings) as lanes, issuer_client(settings, ARCHIVER) as tokens:
        if lane not in await source.ends():
            raise NotFound(f"there is no lane {lane}: Kafka has no such partition")
        checkpoint = await lanes.checkpoint(lane)
        if checkpoint is None:
            raise NotFound(
                f"nothing of {lane} is archived yet: it begins at the oldest offset there is, without an order"
            )
        state = await _state(source, lane, checkpoint)
        order = skip_order(state.missing, to, reason)
        await prepare(lanes.database, content_database(lanes.database, content_name(settings)))
        grants = grants_of(settings, lanes.database, tokens, clock)
        await lanes.skip(await grants.current(), order)
        return order


async def _state(source: KafkaSource, lane: LaneId, checkpoint: Checkpoint | None) -> LaneState:
    topic_id = await source.topic_id(lane)
    first, end = await source.bounds(lane)
    gap = None if checkpoint is None else missing(checkpoint, topic_id, first, end)
    return LaneState(lane, checkpoint, topic_id, first, end, gap)


@asynccontextmanager
async def _source(settings: Settings) -> AsyncIterator[KafkaSource]:
    """Connect to Kafka as the archiver, without joining its group."""
    async with issuer_client(settings, ARCHIVER) as tokens:
        login = KafkaLogin(ARCHIVER, tokens, tls_context(settings))
        kafka = settings.kafka
        topics = topic_streams(settings)
        source = KafkaSource(kafka_bootstrap(settings), kafka.group, topics, kafka.session_timeout_s, login)
        await source.start()
        try:
            yield source
        finally:
            await source.close()


@asynccontextmanager
async def _lanes(settings: Settings) -> AsyncIterator[MongoLanes]:
    database = connect(mongodb_uri(settings), settings.mongodb.database)
    try:
        await check(database)
        yield MongoLanes(database, SystemClock(), signer_of(settings))
    finally:
        database.client.close()
