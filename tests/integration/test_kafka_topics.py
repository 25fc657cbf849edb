"""What a real broker says of topics: an id that no other topic has, and how long records are kept."""

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from consumers.batch import LaneId
from consumers.kafka_source import KafkaSource
from deploy.stack.topics import connect_admin, delete_topics, ensure_topics
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.login import ADMIN, ARCHIVER
from tests.conftest import StackAddresses


async def test_a_topic_that_is_made_again_has_another_id(stack: StackAddresses, topics: Topics) -> None:
    """All partitions of a topic say one id, again and again; the next topic of that name has another."""
    source = KafkaSource(stack.bootstrap, "test-group", [topics.contacts], 6, stack.login(ARCHIVER))
    await source.start()
    try:
        lanes = [LaneId(topics.contacts, partition) for partition in (0, 1, 0)]
        (before,) = {await source.topic_id(lane) for lane in lanes}
        await delete_topics(stack.bootstrap, topics, stack.login(ADMIN))
        await ensure_topics(stack.bootstrap, topics, SystemClock(), login=stack.login(ADMIN))
        (after,) = {await source.topic_id(lane) for lane in lanes}
    finally:
        await source.close()
    assert before != after


async def test_the_archiver_may_see_how_long_records_are_kept(stack: StackAddresses, topics: Topics) -> None:
    """Of its own topics; of others it learns nothing, and nothing is made up."""
    admin = await connect_admin(stack.bootstrap, stack.login(ADMIN))
    try:
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topics.contacts, {"retention.ms": "86400000"})]
        )
    finally:
        await admin.close()
    source = KafkaSource(stack.bootstrap, "test-group", [topics.contacts], 6, stack.login(ARCHIVER))
    await source.start()
    try:
        found = await source.retention_ms([topics.contacts, topics.conferences, "private"])
    finally:
        await source.close()
    assert found == {topics.contacts: 86_400_000, topics.conferences: -1}
