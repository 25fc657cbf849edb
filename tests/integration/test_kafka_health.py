"""Reports of health through a real broker: heard as they are said, kept once an archiver, and only its to write."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from consumers.kafka_health import KafkaHealthPublisher
from deploy.stack.topics import connect_admin, ensure_health_topic
from producers.health_view import Outage
from producers.kafka_health import KafkaHealthSource
from producers.kafka_publisher import KafkaPublisher
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.errors import DependencyUnavailable, Misconfigured
from schemas.health import SILENCE_S, Condition, StoreHealth
from schemas.login import ADMIN, ARCHIVER, PRODUCER
from schemas.record import Record
from tests.conftest import StackAddresses
from tests.support.clock import ManualClock
from tests.support.waiting import await_until

SILENT = Outage(store=True, files=True, silent=True)


@pytest.fixture
async def publisher(stack: StackAddresses, health_topic: str) -> AsyncIterator[KafkaHealthPublisher]:
    """An archiver's way to say how its stores are."""
    own = KafkaHealthPublisher(stack.bootstrap, health_topic, SystemClock(), stack.login(ARCHIVER))
    yield own
    await own.close()


def report(clock: ManualClock, *, store: Condition = Condition.OK, age_s: float = 0.0) -> StoreHealth:
    at = clock.now() - timedelta(seconds=age_s)
    return StoreHealth(archiver="a1", store=store, files=Condition.OK, since=at, at=at)


async def test_what_is_said_is_heard(stack: StackAddresses, health_topic: str, publisher: KafkaHealthPublisher) -> None:
    """From before and as it comes; silence and leaving are heard as well."""
    clock = ManualClock()
    source = KafkaHealthSource(stack.bootstrap, health_topic, clock, stack.login(PRODUCER))
    await publisher.publish("a1", report(clock, store=Condition.FAILING))
    async with source:
        assert source.outage() == Outage(store=True)
        await publisher.publish("a1", report(clock))
        await await_until(lambda: source.outage() == Outage(), 30)
        clock.advance(SILENCE_S)
        assert source.outage() == SILENT
        await publisher.publish("a1", report(clock))
        await await_until(lambda: source.outage() == Outage(), 30)
        await publisher.publish("a1", None)
        await await_until(lambda: source.outage() == SILENT, 30)


async def test_an_archiver_that_died_before_is_not_heard(
    stack: StackAddresses, health_topic: str, publisher: KafkaHealthPublisher
) -> None:
    """Its last report is there for ever, and as old as it says."""
    clock = ManualClock()
    await publisher.publish("a1", report(clock, age_s=SILENCE_S))
    async with KafkaHealthSource(stack.bootstrap, health_topic, clock, stack.login(PRODUCER)) as source:
        assert source.outage() == SILENT


async def test_strange_records_are_not_heard(stack: StackAddresses, health_topic: str) -> None:
    """Whatever an administrator may have written there, it says nothing of any store."""

    async def strange() -> AsyncIterator[Record]:
        for value in (b"{}", b"\xff", b"null"):
            yield Record(health_topic, 0, -1, 1, b"a1", (), value)

    async with KafkaPublisher(stack.bootstrap, stack.login(ADMIN)) as admin:
        await admin.publish(strange())
    async with KafkaHealthSource(stack.bootstrap, health_topic, ManualClock(), stack.login(PRODUCER)) as source:
        assert source.outage() == SILENT


async def test_the_topic_is_compacted_and_the_producer_may_only_read_it(
    stack: StackAddresses, health_topic: str, topics: Topics
) -> None:
    """One partition, of each key the newest; and the archiver may not write events for having a topic to write."""
    admin = await connect_admin(stack.bootstrap, stack.login(ADMIN))
    try:
        (found,) = await admin.describe_topics([health_topic])
        answers: list[Any] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, health_topic)])
    finally:
        await admin.close()
    assert len(found["partitions"]) == 1
    settings = {entry[0]: entry[1] for entry in answers[0].resources[0][4]}
    assert (settings["cleanup.policy"], settings["retention.ms"]) == ("compact", "-1")

    async def event() -> AsyncIterator[Record]:
        yield Record(health_topic, 0, -1, 1, b"k", (), b"v")

    async with KafkaPublisher(stack.bootstrap, stack.login(PRODUCER)) as producer:
        with pytest.raises(Misconfigured, match=f"does not let this client write to topic {health_topic}"):
            await producer.publish(event())
    astray = KafkaHealthPublisher(stack.bootstrap, topics.contacts, SystemClock(), stack.login(ARCHIVER))
    with pytest.raises(Misconfigured, match=f"does not let this client write to topic {topics.contacts}"):
        await astray.publish("a1", None)
    await astray.close()


async def test_a_topic_that_is_missing_is_said(stack: StackAddresses) -> None:
    """The archiver's report fails within seconds, and works once the topic is there; the producer does not begin."""
    name = "health-test-absent"
    publisher = KafkaHealthPublisher(stack.bootstrap, name, SystemClock(), stack.login(ARCHIVER))
    with pytest.raises(DependencyUnavailable, match=f"topic {name} takes no report"):
        await publisher.publish("a1", None)
    with pytest.raises(Misconfigured, match=f"Kafka has no topic {name}"):
        await KafkaHealthSource(stack.bootstrap, name, SystemClock(), stack.login(PRODUCER)).__aenter__()
    with pytest.raises(Misconfigured, match="does not let this client read topic secret"):
        await KafkaHealthSource(stack.bootstrap, "secret", SystemClock(), stack.login(PRODUCER)).__aenter__()
    await ensure_health_topic(stack.bootstrap, name, SystemClock(), stack.login(ADMIN))
    await publisher.publish("a1", None)
    await publisher.close()
