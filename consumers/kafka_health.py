"""The door to Kafka for saying how the stores are. It connects when it is first used, and again where that failed."""

import asyncio
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ClusterAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from consumers.kafka_login import TokenProvider, check_login, login_options
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable, Misconfigured
from schemas.health import StoreHealth, health_record, withdrawal
from schemas.login import KafkaLogin

PUBLISH_LIMIT_S: Final = 3.0
"""How long one report may take, connecting included: the next is due by then."""

REQUEST_TIMEOUT_MS: Final = 10_000
"""One request to a broker; a report that is older is nobody's any more."""


class KafkaHealthPublisher:
    """The `HealthPublisher` on a compacted topic of one partition, whose order is the order of what was said."""

    def __init__(self, bootstrap: str, topic: str, clock: Clock, login: KafkaLogin | None = None) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._clock = clock
        self._login = login
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, archiver: str, health: StoreHealth | None) -> None:
        stamp_ms = int(self._clock.now().timestamp() * 1000)
        record = withdrawal(archiver, self._topic, stamp_ms) if health is None else health_record(health, self._topic)
        try:
            async with asyncio.timeout(PUBLISH_LIMIT_S):
                await (await self._connected()).send_and_wait(
                    self._topic,
                    value=record.value,
                    key=record.key,
                    partition=0,
                    timestamp_ms=record.timestamp_ms,
                    headers=list(record.headers),
                )
        except (TopicAuthorizationFailedError, ClusterAuthorizationFailedError) as error:
            raise Misconfigured(f"Kafka does not let this client write to topic {self._topic}") from error
        except (KafkaError, TimeoutError) as error:
            raise DependencyUnavailable(f"topic {self._topic} takes no report: {type(error).__name__}") from error

    async def close(self) -> None:
        """Disconnect, without waiting for what no broker takes."""
        if self._producer is not None:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(PUBLISH_LIMIT_S):
                    await self._producer.stop()
            await self._producer.client.close()

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            provider = None
            if self._login is not None:
                await check_login(self._bootstrap, self._login)
                provider = TokenProvider(self._bootstrap, self._login)
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                enable_idempotence=True,
                acks="all",
                request_timeout_ms=REQUEST_TIMEOUT_MS,
                **login_options(self._login, provider),
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer
