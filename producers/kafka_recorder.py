"""The door to Kafka for recording: reads topics from their beginning, as no member of any group."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from heapq import heapify, heappop, heapreplace
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)

from producers.kafka_batches import UNREADABLE, follow, read_batches
from producers.kafka_login import TokenProvider, check_login, login_options
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable, LyncArchiverError, Misconfigured
from schemas.login import KafkaLogin
from schemas.record import Record

PARTITION_FETCH_BYTES: Final = 9 * 1024 * 1024
"""What one fetch may bring of one partition: room for a record of 8 MiB with its key and headers."""

FETCH_BYTES: Final = 4 * PARTITION_FETCH_BYTES
"""What one fetch may bring of all partitions."""

FETCH_WAIT_MS: Final = 500
"""How long one fetch waits for a record before it returns none."""

CHUNK_RECORDS: Final = 1000
"""Records taken from a partition at once."""

CONNECT_LIMIT_S: Final = 15.0
"""How long the first answer of a broker may take."""

STALL_LIMIT_S: Final = 60.0
"""How long a partition may bring nothing although it is known to hold more. The client itself would try for ever."""

REQUEST_TIMEOUT_MS: Final = 30_000
"""One request to a broker."""


class KafkaRecorder:
    """Reads whole topics; used as a context, which connects and disconnects."""

    def __init__(self, bootstrap: str, topics: Iterable[str], clock: Clock, login: KafkaLogin | None = None) -> None:
        self._bootstrap = bootstrap
        self._login = login
        self._provider = None if login is None else TokenProvider(bootstrap, login)
        self._options = login_options(login, self._provider)
        self._topics = sorted(topics)
        self._clock = clock
        self._consumer: AIOKafkaConsumer

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            DependencyUnavailable: no broker answers.
            Misconfigured: Kafka refuses the login, or a topic is missing or not ours to read.
        """
        if self._login is not None:
            await check_login(self._bootstrap, self._login)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
            fetch_max_bytes=FETCH_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            check_crcs=True,
            **self._options,
        )
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await self._consumer.start()
                self._consumer.assign(await self._partitions())
        except BaseException as error:
            await self._consumer.stop()
            if isinstance(error, KafkaError):
                raise _failure(error) from error
            if isinstance(error, TimeoutError):
                raise DependencyUnavailable(f"Kafka at {self._bootstrap} does not answer") from error
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def history(self) -> AsyncIterator[Record]:
        """Yield every record up to the end offsets seen now, by timestamp, then topic, then partition.

        A partition's own order is kept whatever its timestamps say. The same content gives the same order; memory
        holds one fetch a partition. Raises DependencyUnavailable where Kafka stops answering.
        """
        try:
            ends = await self._consumer.end_offsets(sorted(self._consumer.assignment()))
            partitions = [
                _Partition(self._consumer, self._clock, p, end, self._raise_trouble) for p, end in sorted(ends.items())
            ]
            heads = [partition.head() for partition in partitions if await partition.fill()]
            heapify(heads)
            while heads:
                _, _, _, partition = heads[0]
                yield partition.take()
                if await partition.fill():
                    heapreplace(heads, partition.head())
                else:
                    heappop(heads)
        except KafkaError as error:
            raise _failure(error) from error

    async def follow(self) -> AsyncIterator[Record]:
        """Yield every record as it comes, until cancelled; each partition in its own order."""
        try:
            places = {p: await self._consumer.position(p) for p in self._consumer.assignment()}
            while True:
                chunk = await self._any(places)
                if not chunk:
                    self._raise_trouble()
                for record in chunk:
                    yield record
                places = {p: await self._consumer.position(p) for p in places}
        except KafkaError as error:
            raise _failure(error) from error

    async def _any(self, places: Mapping[TopicPartition, int]) -> list[Record]:
        """Take records of any partitions; `places` says up to where each was taken."""
        try:
            chunks = await self._consumer.getmany(timeout_ms=FETCH_WAIT_MS, max_records=CHUNK_RECORDS)
            whole = [follow(chunks.get(p, ()), place, await self._consumer.position(p)) for p, place in places.items()]
        except UNREADABLE:
            whole = [False]
        if all(whole):
            return [_record(record) for chunk in chunks.values() for record in chunk]
        # The client does not say which partition it cannot read, and has dropped what it took of others.
        for partition, place in places.items():
            self._consumer.seek(partition, place)
        return [record for partition in places for record in await _carefully(self._consumer, partition)]

    def _raise_trouble(self) -> None:
        """Where nothing came, say why if it is for want of a token: the client goes on trying in silence."""
        if self._provider is not None:
            self._provider.raise_trouble()

    async def _partitions(self) -> list[TopicPartition]:
        admin = AIOKafkaAdminClient(
            bootstrap_servers=self._bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS, **self._options
        )
        try:
            await admin.start()
            found = await admin.describe_topics(self._topics)
        finally:
            await admin.close()
        denied = sorted(t["topic"] for t in found if t["error_code"] == TopicAuthorizationFailedError.errno)
        if denied:
            raise Misconfigured(f"Kafka does not let this client read topic {', '.join(denied)}")
        missing = sorted(topic["topic"] for topic in found if topic["error_code"] or not topic["partitions"])
        if missing:
            raise Misconfigured(f"Kafka has no topic {', '.join(missing)}")
        return [TopicPartition(topic["topic"], part["partition"]) for topic in found for part in topic["partitions"]]


class _Partition:
    """One partition's records up to `end`, of which one chunk is held."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        clock: Clock,
        partition: TopicPartition,
        end: int,
        raise_trouble: Callable[[], None],
    ) -> None:
        self._consumer = consumer
        self._raise_trouble = raise_trouble
        self._clock = clock
        self._partition = partition
        self._end = end
        self._chunk: deque[Record] = deque()

    def head(self) -> tuple[int, str, int, "_Partition"]:
        """Return the next record's place in the merge; topic and partition make it unique."""
        return self._chunk[0].timestamp_ms, self._partition.topic, self._partition.partition, self

    def take(self) -> Record:
        return self._chunk.popleft()

    async def fill(self) -> bool:
        """Fetch where nothing is held; False says that the end is reached."""
        limit = self._clock.monotonic() + STALL_LIMIT_S
        # The position is what counts: the last offsets may hold no record, but a transaction's marker.
        while not self._chunk and await self._consumer.position(self._partition) < self._end:
            self._chunk.extend(record for record in await self._take() if record.offset < self._end)
            if not self._chunk:
                self._raise_trouble()
            if not self._chunk and self._clock.monotonic() > limit:
                name = f"{self._partition.topic}/{self._partition.partition}"
                raise DependencyUnavailable(f"Kafka has brought nothing of {name} for {STALL_LIMIT_S:.0f} s")
        return bool(self._chunk)

    async def _take(self) -> list[Record]:
        start = await self._consumer.position(self._partition)
        try:
            found = await self._consumer.getmany(self._partition, timeout_ms=FETCH_WAIT_MS, max_records=CHUNK_RECORDS)
            records = found.get(self._partition, ())
            whole = follow(records, start, await self._consumer.position(self._partition))
        except UNREADABLE:
            whole = False
        if whole:
            return [_record(record) for record in records]
        self._consumer.seek(self._partition, start)
        return await _carefully(self._consumer, self._partition)


async def _carefully(consumer: AIOKafkaConsumer, partition: TopicPartition) -> list[Record]:
    return await read_batches(consumer, partition, PARTITION_FETCH_BYTES, CHUNK_RECORDS)


def _record(record: Any) -> Record:
    headers = tuple(record.headers)
    return Record(record.topic, record.partition, record.offset, record.timestamp, record.key, headers, record.value)


def _failure(error: KafkaError) -> LyncArchiverError:
    if isinstance(error, (AuthenticationFailedError, SaslAuthenticationFailed)):
        return Misconfigured("Kafka refused the credentials")
    if isinstance(error, TopicAuthorizationFailedError):
        return Misconfigured(f"Kafka does not let this client read topic {error.args[0] if error.args else ''}")
    return DependencyUnavailable(f"Kafka cannot be read: {type(error).__name__}")
