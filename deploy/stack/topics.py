"""The topics' administration: the local stack's own door to Kafka's admin API.

Creation states every setting that affects loss: nothing is deleted by age, and a topic keeps its partitions for good,
since the partition is chosen by the key.
"""

from collections.abc import Iterable
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code
from aiokafka.errors import TopicAlreadyExistsError as AlreadyExists
from aiokafka.errors import UnknownTopicOrPartitionError as Unknown

from deploy.errors import StackFailed
from deploy.stack.broker import RECORD_BATCH_BYTES_MAX
from producers.kafka_login import TokenProvider, check_login, login_options
from producers.topics import Topics
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable
from schemas.login import KafkaLogin

PARTITIONS: Final = 4
CREATE_LIMIT_S: Final = 30.0
_REQUEST_LIMIT_MS: Final = 10_000
_RETRY_S: Final = 0.1

_CONFIGURATION: Final = {
    "max.message.bytes": str(RECORD_BATCH_BYTES_MAX),
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
}


_REPORTS: Final = {
    "cleanup.policy": "compact",
    "retention.ms": "-1",
    "segment.ms": "600000",  # what is not the newest can go after ten minutes
    "min.cleanable.dirty.ratio": "0.1",
}
"""The topic of reports of health: of each archiver the newest one."""


async def ensure_topics(
    bootstrap: str, topics: Topics, clock: Clock, *, partitions: int = PARTITIONS, login: KafkaLogin | None = None
) -> None:
    """Create the topics that are missing and wait until each has a leader; those that exist stay as they are.

    Raises:
        StackFailed: Kafka did not do so within `CREATE_LIMIT_S`.
        Misconfigured: Kafka refuses the login.
    """
    await _ensure(bootstrap, [_new(name, partitions, _CONFIGURATION) for name in topics.names], clock, login)


async def ensure_health_topic(bootstrap: str, topic: str, clock: Clock, login: KafkaLogin | None = None) -> None:
    """Create the topic of reports of health, compacted and of one partition, as `ensure_topics` does."""
    await _ensure(bootstrap, [_new(topic, 1, _REPORTS)], clock, login)


def _new(name: str, partitions: int, configuration: dict[str, str]) -> NewTopic:
    return NewTopic(name, partitions, 1, topic_configs=configuration)


async def _ensure(bootstrap: str, topics: list[NewTopic], clock: Clock, login: KafkaLogin | None) -> None:
    names = ", ".join(topic.name for topic in topics)
    limit = clock.monotonic() + CREATE_LIMIT_S
    while True:
        try:
            if login is not None:
                await check_login(bootstrap, login)
            if await _create(bootstrap, login, topics):
                return
            problem = "they have no leader yet"
        except (KafkaError, DependencyUnavailable) as exc:  # a broker that has just started may be fenced for a moment
            problem = str(exc) or type(exc).__name__
        if clock.monotonic() > limit:
            raise StackFailed(f"Kafka did not create the topics {names}: {problem}")
        await clock.sleep(_RETRY_S)


async def delete_topics(bootstrap: str, names: Iterable[str], login: KafkaLogin | None = None) -> None:
    """Delete the topics of these names and what they hold; one that is not there is no error.

    Raises:
        StackFailed: Kafka refused.
    """
    doomed = list(names)
    admin = await connect_admin(bootstrap, login)
    try:
        answer: Any = await admin.delete_topics(doomed)
        _check(((name, code) for name, code in answer.topic_error_codes), accepted=Unknown)
    except KafkaError as exc:
        raise StackFailed(f"Kafka did not delete the topics {', '.join(doomed)}: {exc}") from exc
    finally:
        await admin.close()


async def _create(bootstrap: str, login: KafkaLogin | None, topics: list[NewTopic]) -> bool:
    admin = await connect_admin(bootstrap, login)
    try:
        answer: Any = await admin.create_topics(topics)
        _check(((name, code) for name, code, *_message in answer.topic_errors), accepted=AlreadyExists)
        described: list[dict[str, Any]] = await admin.describe_topics([topic.name for topic in topics])
        return all(
            topic["error_code"] == 0 and all(partition["leader"] >= 0 for partition in topic["partitions"])
            for topic in described
        )
    finally:
        await admin.close()


def _check(errors: Iterable[tuple[str, int]], *, accepted: type[KafkaError]) -> None:
    for name, code in errors:
        error = for_code(code)
        if code != 0 and error is not accepted:
            raise error(name)


async def connect_admin(bootstrap: str, login: KafkaLogin | None) -> AIOKafkaAdminClient:
    """Return a connected client for administration, which the caller closes. Raises the client's KafkaError."""
    provider = None if login is None else TokenProvider(bootstrap, login)
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap, request_timeout_ms=_REQUEST_LIMIT_MS, **login_options(login, provider)
    )
    try:
        await admin.start()
    except BaseException:
        await admin.close()
        raise
    return admin
