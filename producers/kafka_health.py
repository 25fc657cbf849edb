"""The door to Kafka for hearing how the archive's stores are: follows the compacted topic from its beginning."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from producers.health_view import HealthView, Outage
from producers.kafka_login import TokenProvider, check_login, login_options
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable, MalformedRecord, Misconfigured
from schemas.health import health_of
from schemas.login import KafkaLogin
from schemas.record import Record

CONNECT_LIMIT_S: Final = 15.0
"""How long it may take to connect and to read what was said before."""

FETCH_WAIT_MS: Final = 500
"""How long one fetch waits for a record before it returns none."""

RETRY_S: Final = 1.0
"""The pause after Kafka failed to answer; meanwhile nothing is heard, which in time counts as failing."""

REQUEST_TIMEOUT_MS: Final = 10_000
"""One request to a broker."""


class KafkaHealthSource:
    """The `HealthSource` on a topic of one partition; used as a context, which connects, follows and disconnects."""

    def __init__(self, bootstrap: str, topic: str, clock: Clock, login: KafkaLogin | None = None) -> None:
        self._bootstrap = bootstrap
        self._partition = TopicPartition(topic, 0)
        self._clock = clock
        self._login = login
        self._options = login_options(login, None if login is None else TokenProvider(bootstrap, login))
        self._view = HealthView()
        self._end = 0
        self._consumer: AIOKafkaConsumer
        self._following: asyncio.Task[None]

    def outage(self) -> Outage:
        return self._view.outage(self._clock.monotonic())

    async def __aenter__(self) -> Self:
        """Connect, and hear what was said before.

        Raises:
            DependencyUnavailable: no broker answers within `CONNECT_LIMIT_S`.
            Misconfigured: Kafka refuses the login, or the topic is missing or not ours to read.
        """
        if self._login is not None:
            await check_login(self._bootstrap, self._login)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            **self._options,
        )
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await self._consumer.start()
                await self._check_topic()
                self._consumer.assign([self._partition])
                self._end = (await self._consumer.end_offsets([self._partition]))[self._partition]
                while await self._consumer.position(self._partition) < self._end:
                    await self._hear()
        except BaseException as error:
            await self._consumer.stop()
            if isinstance(error, (KafkaError, TimeoutError)):
                raise DependencyUnavailable(f"Kafka does not say how the archive is: {type(error).__name__}") from error
            raise
        self._following = asyncio.create_task(self._follow(), name="archive's health")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._following.cancel()
        with suppress(asyncio.CancelledError):
            await self._following
        await self._consumer.stop()

    async def _follow(self) -> None:
        while True:
            try:
                await self._hear()
            except KafkaError:
                await self._clock.sleep(RETRY_S)

    async def _hear(self) -> None:
        found = await self._consumer.getmany(self._partition, timeout_ms=FETCH_WAIT_MS)
        for record in found.get(self._partition, ()):
            self._take(record)

    def _take(self, record: Any) -> None:
        key, headers = record.key, tuple(record.headers)
        said = Record(record.topic, record.partition, record.offset, record.timestamp, key, headers, record.value)
        try:
            health = health_of(said)
        except MalformedRecord:
            return  # of a later release, or nobody's: not heard
        if health is None:
            self._view.withdraw((key or b"").decode(errors="replace"))
            return
        # What was there before we came may be old; what comes now is as old as it took to come.
        age_s = (self._clock.now() - health.at).total_seconds() if record.offset < self._end else 0.0
        self._view.hear(health, self._clock.monotonic(), age_s)

    async def _check_topic(self) -> None:
        topic = self._partition.topic
        admin = AIOKafkaAdminClient(
            bootstrap_servers=self._bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS, **self._options
        )
        try:
            await admin.start()
            (found,) = await admin.describe_topics([topic])
        finally:
            await admin.close()
        if found["error_code"] == TopicAuthorizationFailedError.errno:
            raise Misconfigured(f"Kafka does not let this client read topic {topic}")
        if found["error_code"] or not found["partitions"]:
            raise Misconfigured(f"Kafka has no topic {topic}")
