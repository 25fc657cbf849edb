"""Least privilege on a real broker: what each client may do, and that it may do nothing else."""

import uuid
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

from consumers.kafka_source import KafkaSource
from deploy.stack.acls import ensure_acls
from deploy.stack.topics import connect_admin, delete_topics, ensure_topics
from producers.kafka_publisher import KafkaPublisher
from producers.kafka_recorder import KafkaRecorder
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.errors import Misconfigured
from schemas.login import ADMIN, ARCHIVER, PRODUCER
from schemas.record import Record
from tests.conftest import StackAddresses
from tests.support.issuer import Issuer

MALLORY: Final = "mallory"
"""A client that the issuer knows and Kafka does not."""

FORBIDDEN: Final = {29, 30, 31}
"""TOPIC_, GROUP_ and CLUSTER_AUTHORIZATION_FAILED."""


@pytest.fixture
async def others_topic(stack: StackAddresses, issuer: Issuer) -> AsyncIterator[str]:
    """A topic that is none of the archive's, with a record."""
    own = Topics(*(f"private-{uuid.uuid4().hex[:8]}.{number}" for number in range(3)))
    admin = issuer.login(ADMIN)
    await ensure_topics(stack.bootstrap, own, SystemClock(), login=admin)
    async with KafkaPublisher(stack.bootstrap, admin) as publisher:
        await publisher.publish(each(own.conversations))
    yield own.conversations
    await delete_topics(stack.bootstrap, own.names, admin)


async def each(*topics: str) -> AsyncIterator[Record]:
    for topic in topics:
        yield Record(topic, 0, -1, 1, b"k", (), b"v")


async def publish(stack: StackAddresses, issuer: Issuer, client: str, topic: str) -> int:
    async with KafkaPublisher(stack.bootstrap, issuer.login(client)) as publisher:
        return await publisher.publish(each(topic))


async def record(stack: StackAddresses, issuer: Issuer, client: str, topic: str) -> int:
    async with KafkaRecorder(stack.bootstrap, [topic], SystemClock(), issuer.login(client)) as recorder:
        return len([found async for found in recorder.history()])


async def join(stack: StackAddresses, issuer: Issuer, client: str, topic: str, group: str) -> None:
    source = KafkaSource(stack.bootstrap, group, [topic], 6, issuer.login(client))
    await source.start()
    await source.close()


async def test_each_client_may_do_its_own_work(stack: StackAddresses, issuer: Issuer, topics: Topics) -> None:
    """The producer writes every topic; the archiver reads them, in its group and in none."""
    for topic in topics.names:
        assert await publish(stack, issuer, PRODUCER, topic) == 1
        assert await record(stack, issuer, ARCHIVER, topic) == 1
        await join(stack, issuer, ARCHIVER, topic, "test-group")


async def test_the_producer_may_only_write_its_topics(
    stack: StackAddresses, issuer: Issuer, topics: Topics, others_topic: str
) -> None:
    """It reads nothing, not even what it wrote, joins no group, and writes nothing else."""
    await publish(stack, issuer, PRODUCER, topics.contacts)
    with pytest.raises(Misconfigured, match=rf"does not let this client read topic {topics.contacts}"):
        await record(stack, issuer, PRODUCER, topics.contacts)
    with pytest.raises(Misconfigured, match="does not let this client use group test-group"):
        await join(stack, issuer, PRODUCER, topics.contacts, "test-group")
    with pytest.raises(Misconfigured, match=rf"does not let this client write to topic {others_topic}"):
        await publish(stack, issuer, PRODUCER, others_topic)
    with pytest.raises(Misconfigured, match=r"does not let this client write to topic absent"):
        await publish(stack, issuer, PRODUCER, "absent")


async def test_the_archiver_may_only_read_its_topics_in_its_group(
    stack: StackAddresses, issuer: Issuer, topics: Topics, others_topic: str
) -> None:
    """It writes no events, and reads nothing else, and joins no other group."""
    with pytest.raises(Misconfigured, match=rf"does not let this client write to topic {topics.contacts}"):
        await publish(stack, issuer, ARCHIVER, topics.contacts)
    with pytest.raises(Misconfigured, match=rf"does not let this client read topic {others_topic}"):
        await record(stack, issuer, ARCHIVER, others_topic)
    with pytest.raises(Misconfigured, match=rf"does not let this client read topic {others_topic}"):
        await join(stack, issuer, ARCHIVER, others_topic, "test-group")
    with pytest.raises(Misconfigured, match="does not let this client use group payroll"):
        await join(stack, issuer, ARCHIVER, topics.contacts, "payroll")
    assert await record(stack, issuer, ARCHIVER, topics.contacts) == 0


async def test_a_client_that_kafka_does_not_know_may_do_nothing(
    stack: StackAddresses, issuer: Issuer, topics: Topics
) -> None:
    """A good token says who somebody is, not that he may anything."""
    with pytest.raises(Misconfigured, match="does not let this client write to any topic"):
        await publish(stack, issuer, MALLORY, topics.contacts)
    with pytest.raises(Misconfigured, match="does not let this client read"):
        await record(stack, issuer, MALLORY, topics.contacts)
    with pytest.raises(Misconfigured, match="does not let this client use group"):
        await join(stack, issuer, MALLORY, topics.contacts, "test-group")
    client = await connect_admin(stack.bootstrap, issuer.login(MALLORY))
    try:
        assert await client.list_topics() == []
        assert await client.list_consumer_groups() == []
    finally:
        await client.close()


@pytest.mark.parametrize("name", [PRODUCER, ARCHIVER, MALLORY])
async def test_nobody_but_the_administrator_administers(
    stack: StackAddresses, issuer: Issuer, topics: Topics, name: str
) -> None:
    """Every request that changes the cluster, or shows how it is set, is denied; and nothing has changed."""
    client = await connect_admin(stack.bootstrap, issuer.login(name))
    try:
        for number, codes in enumerate([codes async for codes in _denials(client, topics.contacts)]):
            assert codes, number
            assert codes <= FORBIDDEN, number
    finally:
        await client.close()
    admin = await connect_admin(stack.bootstrap, issuer.login(ADMIN))
    try:
        (found,) = await admin.describe_topics([topics.contacts])
        assert len(found["partitions"]) == 4
        assert "test-sneaked" not in await admin.list_topics()
    finally:
        await admin.close()


async def _denials(client: AIOKafkaAdminClient, topic: str) -> AsyncIterator[set[int]]:
    """Yield the error codes of one administrative request after another."""
    created: Any = await client.create_topics([NewTopic("test-sneaked", 1, 1)])
    yield {code for _, code, *_ in created.topic_errors}
    deleted: Any = await client.delete_topics([topic])
    yield {code for _, code in deleted.topic_error_codes}
    try:
        await client.create_partitions({topic: NewPartitions(8)})
    except KafkaError as error:
        yield {getattr(error, "errno", 0)}
    changes = ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "1"})
    answers: list[Any] = await client.alter_configs([changes])
    answers += await client.describe_configs([ConfigResource(ConfigResourceType.BROKER, "1")])
    for answer in answers:
        yield {resource[0] for resource in answer.resources}
    granted: Any = await client._send_to_controller(CreateAclsRequest(2, topic, 3, f"User:{MALLORY}", "*", 2, 3))
    yield {code for code, _ in granted.creation_responses}
    listed: Any = await client._send_request(DescribeAclsRequest(1, None, 1, None, None, 1, 1))  # type: ignore[arg-type]
    yield {listed.error_code}


async def test_granting_again_changes_nothing(stack: StackAddresses, issuer: Issuer) -> None:
    """`stack up` grants each time; the rules are the same afterwards."""
    admin = issuer.login(ADMIN)

    async def rules() -> list[Any]:
        client = await connect_admin(stack.bootstrap, admin)
        try:
            answer: Any = await client._send_request(DescribeAclsRequest(1, None, 1, None, None, 1, 1))  # type: ignore[arg-type]
            return sorted(answer.resources)
        finally:
            await client.close()

    before = await rules()
    await ensure_acls(stack.bootstrap, admin, Topics().names, "lync-archiver")
    assert await rules() == before
    named = {(name, operation, who) for _, name, _, acls in before for who, _, operation, _ in acls}
    group_rules = {rule for rule in named if rule[0] == "lync-archiver"}
    assert group_rules == {("lync-archiver", 3, f"User:{ARCHIVER}")}
