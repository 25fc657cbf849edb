"""The one door to Kafka for reading: a group member whose partitions are lanes. Loss-relevant options are explicit."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    AuthenticationFailedError,
    CommitFailedError,
    GroupAuthorizationFailedError,
    IllegalStateError,
    KafkaError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.commit import OffsetCommitRequest

from consumers.batch import LaneId
from consumers.kafka_batches import UNREADABLE, follow, read_batches
from consumers.kafka_login import TokenProvider, check_login, login_options
from consumers.kafka_topics import KafkaTopics
from consumers.ports import LanesChange
from schemas.errors import DependencyUnavailable, Misconfigured
from schemas.login import KafkaLogin
from schemas.record import Record

FETCH_WAIT_MS: Final = 500
"""How long one fetch waits for a record before it returns none."""

PARTITION_FETCH_BYTES: Final = 8 * 1024 * 1024
"""What one fetch may bring of one partition: the memory a lane's input takes, and room for an oversized record."""

HEARTBEATS: Final = 4
"""Heartbeats in one session time-out: a few may be late before the member counts as dead."""

REBALANCE_TIMEOUT_MS: Final = 60_000
"""How long a rebalance waits for members: longer than the flush of a revoked lane may take."""

REQUEST_TIMEOUT_MS: Final = 40_000
"""One request to a broker."""


class KafkaSource:
    """Reads topics as a member of a consumer group. Offsets committed to Kafka are for lag tools only.

    A member that dies without leaving holds up its group for `session_timeout_s`; nothing else depends on it.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: Iterable[str],
        session_timeout_s: float,
        login: KafkaLogin | None = None,
    ) -> None:
        self._topics = sorted(topics)
        self._bootstrap = bootstrap
        self._group = group
        self._login = login
        self._provider = None if login is None else TokenProvider(bootstrap, login)
        self._options = login_options(login, self._provider)
        self._marks: dict[TopicPartition, int] = {}
        self._partitions: list[TopicPartition] = []
        self._admin = AIOKafkaAdminClient(
            bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS, **self._options
        )
        self._topic_facts = KafkaTopics(self._admin)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
            fetch_max_bytes=4 * PARTITION_FETCH_BYTES,
            session_timeout_ms=int(session_timeout_s * 1000),
            heartbeat_interval_ms=int(session_timeout_s * 1000) // HEARTBEATS,
            rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            check_crcs=True,
            **self._options,
        )

    async def start(self) -> None:
        """Connect.

        Raises:
            DependencyUnavailable: no broker answers.
            Misconfigured: Kafka refuses the login, or a topic is missing, or topic or group are not ours to read.
        """
        try:
            if self._login is not None:
                await check_login(self._bootstrap, self._login)
            await self._admin.start()
            await self._consumer.start()
            self._partitions = await self._describe()
        except KafkaError as error:
            await self.close()
            raise DependencyUnavailable(f"Kafka cannot be reached: {type(error).__name__}") from error
        except BaseException:
            await self.close()
            raise

    async def _describe(self) -> list[TopicPartition]:
        """Return the topics' partitions. Raises Misconfigured where not every topic may be read in this group."""
        found = await self._admin.describe_topics(self._topics)
        if self._login is not None:
            await self._check_rights()
        missing = set(self._topics) - {topic["topic"] for topic in found if topic["partitions"]}
        if missing:
            raise Misconfigured(f"Kafka has no topic {', '.join(sorted(missing))}")
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in found
            for partition in sorted(topic["partitions"], key=lambda entry: int(entry["partition"]))
        ]

    async def _check_rights(self) -> None:
        """Commit as a member that the group does not have: refused in any case, but first for a missing right.

        It is the one request that needs Read on topics and group alike; joining without that right, the client tells
        nobody that it failed.
        """
        topics = [(topic, [(0, 0, "")]) for topic in self._topics]
        answer: Any = await self._admin._send_request(OffsetCommitRequest(self._group, 1, "nobody", -1, topics))
        codes = {topic: code for topic, partitions in answer.topics for _, code in partitions}
        if GroupAuthorizationFailedError.errno in codes.values():
            raise Misconfigured(f"Kafka does not let this client use group {self._group}")
        denied = sorted(topic for topic, code in codes.items() if code == TopicAuthorizationFailedError.errno)
        if denied:
            raise Misconfigured(f"Kafka does not let this client read topic {', '.join(denied)}")

    async def close(self) -> None:
        """Leave the group, so that its other members need not wait for a time-out."""
        await self._consumer.stop()
        await self._admin.close()

    def join(self, assigned: LanesChange, revoked: LanesChange) -> None:
        """Join the group; the two functions are awaited as partitions come and before they go."""
        self._consumer.subscribe(self._topics, listener=_Listener(assigned, revoked))

    async def fetch(self, lane: LaneId, records_max: int) -> Sequence[Record]:
        partition = TopicPartition(lane.topic, lane.partition)
        try:
            return await self._take(partition, records_max)
        except OffsetOutOfRangeError as error:
            raise DependencyUnavailable(f"Kafka no longer has the next offset of {lane}", 30.0) from error
        except KafkaError as error:
            raise DependencyUnavailable(f"{lane} cannot be read: {type(error).__name__}") from error

    async def _take(self, partition: TopicPartition, records_max: int) -> list[Record]:
        start = await self._consumer.position(partition)
        try:
            found = await self._consumer.getmany(partition, timeout_ms=FETCH_WAIT_MS, max_records=records_max)
            records: Sequence[Any] = found.get(partition, ())
            whole = follow(records, start, await self._consumer.position(partition))
        except UNREADABLE:
            whole = False
        if not whole:
            self._consumer.seek(partition, start)
            return await read_batches(self._consumer, partition, PARTITION_FETCH_BYTES, records_max)
        if not records:
            self._raise_trouble()
        return [Record(*_FIELDS(record)) for record in records]

    def _raise_trouble(self) -> None:
        """Where nothing came, say why if it is for want of a token: the client goes on trying in silence."""
        if self._provider is not None:
            self._provider.raise_trouble()

    def seek(self, lane: LaneId, offset: int) -> None:
        with suppress(IllegalStateError):  # revoked in the meantime: the lane is about to be stopped
            self._consumer.seek(TopicPartition(lane.topic, lane.partition), offset)

    async def position(self, lane: LaneId) -> int:
        try:
            return int(await self._consumer.position(TopicPartition(lane.topic, lane.partition)))
        except KafkaError as error:
            raise DependencyUnavailable(f"{lane} cannot be read: {type(error).__name__}") from error

    async def bounds(self, lane: LaneId) -> tuple[int, int]:
        partition = TopicPartition(lane.topic, lane.partition)
        first = await self._offsets(self._consumer.beginning_offsets, [partition])
        last = await self._offsets(self._consumer.end_offsets, [partition])
        return first[partition], last[partition]

    async def ends(self) -> Mapping[LaneId, tuple[int, int]]:
        """Return the oldest and the next offset of every partition of the topics, as they are now."""
        first = await self._offsets(self._consumer.beginning_offsets, self._partitions)
        last = await self._offsets(self._consumer.end_offsets, self._partitions)
        return {LaneId(p.topic, p.partition): (first[p], last[p]) for p in self._partitions}

    async def topic_id(self, lane: LaneId) -> str:
        return await self._topic_facts.topic_id(lane)

    async def retention_ms(self, topics: list[str]) -> Mapping[str, int]:
        """Return how long topics keep records, below 0 for ever; those that may not be asked are left out."""
        return await self._topic_facts.retention_ms(topics)

    def mark(self, lane: LaneId, offset: int) -> None:
        self._marks[TopicPartition(lane.topic, lane.partition)] = offset

    def lag(self, lane: LaneId, offset: int) -> int:
        """Return how many records are behind `offset` in Kafka, as of the latest fetch; 0 where it is not known."""
        with suppress(AssertionError, IllegalStateError):  # not assigned to this member
            highwater = self._consumer.highwater(TopicPartition(lane.topic, lane.partition))
            return max(0, highwater - offset) if highwater is not None else 0
        return 0

    async def publish_marks(self) -> None:
        """Tell Kafka what is archived. Failing to is no loss: the checkpoints are elsewhere."""
        assigned = self._consumer.assignment()
        marks = {partition: offset for partition, offset in self._marks.items() if partition in assigned}
        self._marks.clear()
        if marks:
            with suppress(CommitFailedError, IllegalStateError, KafkaError):
                await self._consumer.commit(marks)

    async def _offsets(
        self, ask: Callable[[list[TopicPartition]], Awaitable[dict[TopicPartition, int]]], partitions: list[Any]
    ) -> dict[TopicPartition, int]:
        try:
            return await ask(partitions)
        except AuthenticationFailedError as error:
            raise Misconfigured("Kafka refused the credentials") from error
        except KafkaError as error:
            raise DependencyUnavailable(f"Kafka gave no offsets: {type(error).__name__}") from error


class _Listener(ConsumerRebalanceListener):
    def __init__(self, assigned: LanesChange, revoked: LanesChange) -> None:
        self._assigned = assigned
        self._revoked = revoked

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        await self._assigned(sorted(LaneId(p.topic, p.partition) for p in assigned))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._revoked(sorted(LaneId(p.topic, p.partition) for p in revoked))


_FIELDS: Final = attrgetter("topic", "partition", "offset", "timestamp", "key", "headers", "value")
"""The client's names for what a record holds, in our order; one call, since this is hot."""
