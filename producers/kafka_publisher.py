"""The one door to Kafka for producing. Every option that affects loss or order is explicit."""

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import AsyncIterable
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    CorruptRecordException,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)
from aiokafka.partitioner import murmur2

from producers.kafka_login import TokenProvider, check_login, login_options
from producers.kafka_odd_batch import OddBatch
from producers.ports import PublishRefused
from schemas.clock import Clock, SystemClock
from schemas.errors import DependencyUnavailable, LyncArchiverError, Misconfigured
from schemas.login import KafkaLogin
from schemas.record import Record, is_text

WINDOW_RECORDS: Final = 10_000
"""Records on their way at once: some ten milliseconds' worth at full speed, so that the network never waits for us."""

WINDOW_BYTES: Final = 32 * 1024 * 1024
"""Bytes on their way at once: room for a few of the largest records, and all the memory that publishing takes."""

REQUEST_BYTES_MAX: Final = 9 * 1024 * 1024
"""One request, so one record: above what the local stack's topics take (8 MiB), so that the topic decides."""

BATCH_BYTES: Final = 128 * 1024
"""One partition's batch. Below any topic's limit, so that a batch is only ever refused for one record's own size."""

LINGER_MS: Final = 5
"""How long a batch waits to fill: unnoticeable to a person, and many records at full speed."""

CONNECT_LIMIT_S: Final = 15.0
"""How long the first answer of a broker may take."""

REQUEST_TIMEOUT_MS: Final = 30_000
"""One request to a broker."""

DELIVERY_LIMIT_S: Final = 60.0
"""How long the oldest record may wait for its confirmation. The client itself would try for ever."""

ABANDON_LIMIT_S: Final = 5.0
"""How long requests on their way may take when publishing has failed."""

_REFUSALS: Final[dict[type[KafkaError], str]] = {
    MessageSizeTooLargeError: "it is larger than the topic takes",
    RecordListTooLargeError: "it is larger than the broker takes",
    InvalidTimestampError: "its time is further from now than the topic takes",
    CorruptRecordException: "the topic does not take records of this form (a compacted topic needs keys)",
}
_CREDENTIALS: Final = (
    AuthenticationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)


_NO_TIME: Final = -1
"""What Kafka has for the time of a record that has none."""

_CLOCK: Final = SystemClock()


class _Sent(NamedTuple):
    """A record on its way."""

    number: int
    record: Record
    size: int
    since_s: float
    delivery: "Future[Any]"


class KafkaPublisher:
    """Publishes to Kafka with an idempotent producer; used as a context, which connects and disconnects."""

    def __init__(self, bootstrap: str, login: KafkaLogin | None = None, clock: Clock = _CLOCK) -> None:
        self._bootstrap = bootstrap
        self._clock = clock
        self._login = login
        self._provider = None if login is None else TokenProvider(bootstrap, login)
        self._options = login_options(login, self._provider)
        self._partitions: dict[str, int] = {}
        self._window: deque[_Sent] = deque()
        self._window_bytes = 0
        self._timeless: set[tuple[str, int]] = set()
        self._producer: AIOKafkaProducer

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            DependencyUnavailable: no broker answers within `CONNECT_LIMIT_S`.
            Misconfigured: Kafka refuses the login.
        """
        if self._login is not None:
            await check_login(self._bootstrap, self._login)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            enable_idempotence=True,
            acks="all",
            compression_type=None,
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_BYTES_MAX,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            **self._options,
        )
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await self._producer.start()
        except BaseException as error:
            await self._abandon()
            if isinstance(error, KafkaError):
                raise _failure(error) from error
            if isinstance(error, TimeoutError):
                raise DependencyUnavailable(f"Kafka at {self._bootstrap} does not answer") from error
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self._producer.stop()
        else:
            await self._abandon()

    async def publish(self, records: AsyncIterable[Record]) -> int:
        try:
            return await self._publish(records)
        except DependencyUnavailable:
            if self._provider is not None:
                self._provider.raise_trouble()  # which looks to the client like a broken connection
            raise

    async def _publish(self, records: AsyncIterable[Record]) -> int:
        number = 0
        try:
            async for record in records:
                number += 1
                await self._make_room(len(record.value or b""))
                await self._send(number, record)
            while self._window:
                await self._confirm_oldest()
        except KafkaError as error:
            raise _failure(error) from error
        return number

    async def _make_room(self, size: int) -> None:
        """Take what is confirmed out of the window, and wait while the window is full."""
        while self._window and (
            self._window[0].delivery.done()
            or len(self._window) >= WINDOW_RECORDS
            or self._window_bytes + size > WINDOW_BYTES
            or self._clock.monotonic() - self._window[0].since_s > DELIVERY_LIMIT_S  # the records come too slowly
        ):
            await self._confirm_oldest()

    async def _confirm_oldest(self) -> None:
        oldest = self._window[0]
        if not oldest.delivery.done():
            try:
                async with asyncio.timeout(oldest.since_s + DELIVERY_LIMIT_S - self._clock.monotonic()):
                    await asyncio.wait([oldest.delivery])
            except TimeoutError as error:
                message = f"Kafka has not confirmed record {oldest.number} for {DELIVERY_LIMIT_S:.0f} s"
                raise DependencyUnavailable(message) from error
        problem = oldest.delivery.exception()
        if problem is not None:
            raise _refused(oldest.number, oldest.record, problem) from problem
        self._window.popleft()
        self._window_bytes -= oldest.size

    async def _send(self, number: int, record: Record) -> None:
        partition = await self._partition(record)
        try:
            delivery = await self._handed_over(record, partition)
        except KafkaError as error:
            raise _refused(number, record, error) from error
        size = len(record.value or b"")
        self._window.append(_Sent(number, record, size, self._clock.monotonic(), delivery))
        self._window_bytes += size

    async def _handed_over(self, record: Record, partition: int) -> "Future[Any]":
        delivery: Future[Any]
        if self._is_odd(record, partition):
            delivery = await self._producer.send_batch(OddBatch(record), record.topic, partition=partition)
        elif record.key is None and record.value is None:
            # The client refuses to send such a record, which Kafka holds well; a batch of one may be so.
            batch = self._producer.create_batch()
            batch.append(timestamp=record.timestamp_ms, key=None, value=None, headers=list(record.headers))
            delivery = await self._producer.send_batch(batch, record.topic, partition=partition)
        else:
            delivery = await self._producer.send(
                record.topic,
                value=record.value,
                key=record.key,
                partition=partition,
                timestamp_ms=record.timestamp_ms,
                headers=list(record.headers),
            )
        return delivery

    def _is_odd(self, record: Record, partition: int) -> bool:
        """Return whether the client's compiled encoder would fail on the record, or change one.

        To it a batch whose first record has no time is empty still: that record would take the time of the next.
        """
        place = (record.topic, partition)
        if record.timestamp_ms == _NO_TIME:
            self._timeless.add(place)
        elif place in self._timeless:
            self._timeless.remove(place)
            return True
        return not all(is_text(name) for name, _ in record.headers)

    async def _partition(self, record: Record) -> int:
        count = self._partitions.get(record.topic)
        if count is None:
            count = self._partitions[record.topic] = await self._count(record.topic)
        if 0 <= record.partition < count:
            return record.partition
        return _hash(record.key or b"") % count

    async def _count(self, topic: str) -> int:
        """Ask for the number of partitions: the producer itself would wait long for a topic that is not there."""
        admin = AIOKafkaAdminClient(
            bootstrap_servers=self._bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS, **self._options
        )
        try:
            await admin.start()
            (found,) = await admin.describe_topics([topic])
        finally:
            await admin.close()
        if found["error_code"] == TopicAuthorizationFailedError.errno:
            raise _forbidden(topic)
        if found["error_code"] or not found["partitions"]:
            raise Misconfigured(f"Kafka has no topic {topic}")
        return len(found["partitions"])

    async def _abandon(self) -> None:
        """Disconnect without waiting for what is on its way: the client's own stop would wait for it without limit."""
        for sent in self._window:
            if not sent.delivery.cancel() and not sent.delivery.cancelled():
                sent.delivery.exception()  # else it is reported as never looked at
        self._window.clear()
        self._window_bytes = 0
        # In a task of its own: a sender that never ran ends as cancelled, which here would look like our own end.
        closing = asyncio.ensure_future(self._producer._sender.close())
        await asyncio.wait([closing], timeout=ABANDON_LIMIT_S)
        if not closing.cancel() and not closing.cancelled():
            closing.exception()
        await self._producer.client.close()
        self._producer._closed = True


@lru_cache(maxsize=65_536)
def _hash(key: bytes) -> int:
    """Return what the Java client's default partitioner takes modulo the partitions; kept, for it is slow here."""
    return int(murmur2(key)) & 0x7FFFFFFF


def _refused(number: int, record: Record, error: BaseException) -> LyncArchiverError:
    reason = _REFUSALS.get(type(error)) if isinstance(error, KafkaError) else None
    if reason is not None:
        return PublishRefused(number, record, reason)
    if isinstance(error, TopicAuthorizationFailedError):
        return _forbidden(record.topic)
    return _failure(error)


def _forbidden(topic: str) -> Misconfigured:
    return Misconfigured(f"Kafka does not let this client write to topic {topic}")


def _failure(error: BaseException) -> LyncArchiverError:
    if isinstance(error, ClusterAuthorizationFailedError):  # no producer's id without a topic to write (KIP-679)
        return Misconfigured("Kafka does not let this client write to any topic")
    if isinstance(error, _CREDENTIALS):
        return Misconfigured(f"Kafka refused the credentials: {type(error).__name__}")
    return DependencyUnavailable(f"Kafka cannot be published to: {type(error).__name__}")
