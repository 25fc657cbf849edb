"""What Kafka says of topics: their ids, and how long they keep records. A door of its own beside reading.

The client speaks no version of the Metadata request that has ids (KIP-516), so that request is written out here; it is
sent on connections of its own, since one that waits for records answers nothing else meanwhile.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from consumers.batch import LaneId
from schemas.errors import DependencyUnavailable, Misconfigured

NO_LIMIT_MS: Final = -1
"""What `retention.ms` is where records are kept for ever."""

CONNECTION_TRIES: Final = 3
"""A request on a connection that has ended makes a new one; the third is for one that ends at once, as at a restart."""

_ANY_TOPIC: Final = UUID(int=0)
_NO_IDS: Final = (
    "Kafka gives topics no ids; release 3.1 or later does, where inter.broker.protocol.version is 2.8 or later"
)
_METADATA: Final = 3
_METADATA_VERSION: Final = 12
"""Of Kafka 3.1 and later; the first that takes a name and gives an id without more."""

_STRING: Final = CompactString("utf-8")


class _Uuid(AbstractType[UUID]):
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: Any) -> UUID:
        return UUID(bytes=data.read(16))


class _MetadataResponse(Response):
    API_KEY = _METADATA
    API_VERSION = _METADATA_VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", _STRING), ("port", Int32), ("rack", _STRING), ("tags", TaggedFields)
            ),
        ),
        ("cluster_id", _STRING),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _STRING),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("in_sync", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataStruct(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = _METADATA_VERSION
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _STRING), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicRequest(Request[_MetadataStruct]):
    """Asks for one topic, and makes none."""

    API_KEY = _METADATA

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[_MetadataStruct]) -> _MetadataStruct:
        return request_struct_class([(_ANY_TOPIC, self._topic, {})], False, False, {})


class KafkaTopics:
    """Asks a connected administration client, which the caller starts and closes."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin
        self._leaders: dict[LaneId, int] = {}

    async def topic_id(self, lane: LaneId) -> str:
        """Return the id that the topic has now, as the broker that leads the lane's partition knows it.

        A broker takes up a topic's new metadata before it opens the topic's new log, so whoever serves a record of
        a topic that was made again no longer says the former id.

        Raises:
            DependencyUnavailable: no answer, or there is no such topic or no leader now.
            Misconfigured: the broker is older than topic ids, or runs as one that is.
        """
        try:
            topic_id, leader = await self._ask(lane, self._leaders.get(lane))
            if leader != self._leaders.get(lane):
                topic_id, leader = await self._ask(lane, leader)
        except NotImplementedError as error:
            raise Misconfigured(_NO_IDS) from error
        except (KafkaError, TimeoutError) as error:
            self._leaders.pop(lane, None)
            raise DependencyUnavailable(f"the topic of {lane} cannot be asked for: {type(error).__name__}") from error
        self._leaders[lane] = leader
        if topic_id == _ANY_TOPIC:
            raise Misconfigured(_NO_IDS)  # else all topics of that name would be one, and another once they have ids
        return str(topic_id)

    async def _ask(self, lane: LaneId, node: int | None) -> tuple[UUID, int]:
        answer = await self._send(_TopicRequest(lane.topic), node)
        ((code, _, topic_id, _, partitions, _, _),) = answer.topics
        if code:
            raise for_code(code)(lane.topic)
        for _, number, leader, *_ in partitions:
            if number == lane.partition and leader >= 0:
                return topic_id, leader
        raise DependencyUnavailable(f"{lane} has no leader in Kafka now")

    async def _send(self, request: _TopicRequest, node: int | None) -> Any:
        """Send a request that may be sent twice: a connection ends with its token, which a request is told first."""
        for left in reversed(range(CONNECTION_TRIES)):
            try:
                return await self._admin._send_request(request, node)
            except KafkaConnectionError:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def retention_ms(self, topics: list[str]) -> Mapping[str, int]:
        """Return how long each topic keeps records, `NO_LIMIT_MS` for ever; topics that may not be asked are left out.

        Raises:
            DependencyUnavailable: no answer.
        """
        wanted = [ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": ""}) for topic in topics]
        try:
            answers: list[Any] = await self._admin.describe_configs(wanted)
        except (KafkaError, TimeoutError) as error:
            raise DependencyUnavailable(f"Kafka does not say how topics are set: {type(error).__name__}") from error
        found: dict[str, int] = {}
        for answer in answers:
            for code, _, _, topic, entries in answer.resources:
                for name, value, *_ in entries if not code else ():
                    if name == "retention.ms" and value is not None:
                        found[topic] = int(value)
        return found
