"""Publishing to a real Kafka and recording from it, byte for byte, and what is refused."""

import socket
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from producers.kafka_publisher import KafkaPublisher
from producers.kafka_recorder import KafkaRecorder
from producers.ports import PublishRefused
from producers.recording import Recording
from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.errors import DependencyUnavailable, Misconfigured
from schemas.login import ARCHIVER, PRODUCER
from schemas.record import Record, header_name
from tests.conftest import StackAddresses
from tests.support.clock import ManualClock
from tests.support.issuer import Issuer


async def each(records: Iterable[Record]) -> AsyncIterator[Record]:
    for record in records:
        yield record


async def publish(stack: StackAddresses, records: Iterable[Record]) -> int:
    async with KafkaPublisher(stack.bootstrap, stack.login(PRODUCER)) as publisher:
        return await publisher.publish(each(records))


async def recorded_from(stack: StackAddresses, *topics: str) -> list[Record]:
    async with KafkaRecorder(stack.bootstrap, topics, SystemClock(), stack.login(ARCHIVER)) as recorder:
        return [record async for record in recorder.history()]


def unplaced(record: Record) -> Record:
    return record._replace(partition=-1, offset=-1)


def odd(topic: str) -> list[Record]:
    """Records that no producer of ours writes."""
    stamp_ms = 1_362_384_000_000
    return [
        Record(topic, 0, -1, stamp_ms, None, (), b"no key"),
        Record(topic, 1, -1, stamp_ms, b"tombstone", (("h", None), ("h", b""), ("h", b"\xff")), None),
        Record(topic, 2, -1, stamp_ms, None, (("ü\u2028", b"x"),), None),
        Record(topic, 3, -1, stamp_ms, b"", (), b""),
        Record(topic, 1, -1, -1, b"no time", (), b"x"),
        Record(topic, 1, -1, -1, b"no time", (), b"y"),
        Record(topic, 1, -1, stamp_ms, b"some time", (), b"z"),
        Record(topic, 1, -1, -5, b"before 1970", ((header_name(b"h\xff"), b""),), b""),
        Record(topic, 0, -1, 0, b"\xff\x00", (), b"\xfe\n\r\xe2\x80\xa8"),
        Record(topic, 0, -1, 1, b"large", (), b"x" * (8 * 1024 * 1024 - 1024)),
    ]


async def test_what_is_published_is_recorded_byte_for_byte(
    stack: StackAddresses, topics: Topics, tmp_path: Path
) -> None:
    """Kafka to a recording and back into other topics: the same bytes, times and headers, in the same partitions."""
    names = Topics(topics.conversations, topics.conferences)
    sent = list(simulate(60, 1, 5, names))
    assert await publish(stack, sent) == len(sent)
    recording = Recording(tmp_path / "r.jsonl.zst")
    recording.write(await recorded_from(stack, *topics.names))
    held = list(recording.read())
    assert sorted(map(unplaced, held)) == sorted(sent)
    moved = [record._replace(topic=topics.contacts) for record in held]
    assert await publish(stack, moved) == len(moved)
    again = await recorded_from(stack, topics.contacts)
    assert sorted(record._replace(offset=-1) for record in again) == sorted(
        record._replace(offset=-1) for record in moved
    )


async def test_odd_records_survive(stack: StackAddresses, topics: Topics) -> None:
    """Nulls, empty fields, odd headers and times, bytes that are no text, and the largest record keep every byte."""
    sent = odd(topics.contacts)
    assert await publish(stack, sent) == len(sent)
    held = await recorded_from(stack, topics.contacts)
    assert sorted(repr(record._replace(offset=-1)) for record in held) == sorted(map(repr, sent))


async def test_a_conversation_keeps_its_order_in_one_partition(stack: StackAddresses, topics: Topics) -> None:
    """Records of one key are in one partition, in the order in which they were published."""
    sent = list(simulate(60, 1, 6, Topics(topics.conversations, topics.conferences)))
    await publish(stack, sent)
    held = await recorded_from(stack, *topics.names)
    assert len({record.partition for record in held}) > 1
    for key in {record.key for record in sent}:
        of_key = [record for record in held if record.key == key]
        assert len({record.partition for record in of_key}) == 1
        assert [record.value for record in of_key] == [record.value for record in sent if record.key == key]


async def test_history_comes_in_the_same_order_every_time(stack: StackAddresses, topics: Topics) -> None:
    """Partitions are merged by time, not by which of them answers first."""
    sent = list(simulate(60, 1, 5, Topics(topics.conversations, topics.conferences)))
    await publish(stack, sent)
    held = await recorded_from(stack, *topics.names)
    assert [record.timestamp_ms for record in held] == [record.timestamp_ms for record in sent]
    assert held == await recorded_from(stack, *reversed(topics.names))


async def test_the_key_decides_as_it_does_for_the_java_client(stack: StackAddresses, topics: Topics) -> None:
    """A partition that the topic does not have is not used; the key's hash is Kafka's own."""
    record = Record(topics.contacts, 99, 5, 1, b"kafka", (), b"v")
    await publish(stack, [record])
    (held,) = await recorded_from(stack, topics.contacts)
    assert held.partition == (0xD067CF64 & 0x7FFFFFFF) % 4  # Utils.murmur2("kafka"), as librdkafka's tests have it


async def test_a_record_that_is_too_large_is_refused_by_its_number(stack: StackAddresses, topics: Topics) -> None:
    """The one that is too large is named, whoever refuses it, and the publisher ends."""
    for size in (9 * 1024 * 1024 - 100, 10 * 1024 * 1024):
        records = [Record(topics.contacts, 0, number, 1, b"k", (), b"x") for number in range(5)]
        records[3] = records[3]._replace(value=b"x" * size)
        with pytest.raises(PublishRefused, match=r"record 4 \(offset 3 of .*larger than the topic takes") as refused:
            await publish(stack, records)
        assert refused.value.number == 4


async def test_a_record_from_the_future_is_refused(stack: StackAddresses, topics: Topics) -> None:
    """Kafka takes no time more than an hour ahead, and the error says so."""
    record = Record(topics.contacts, 0, -1, 4_102_444_800_000, b"k", (), b"v")
    with pytest.raises(PublishRefused, match=r"record 1 was refused by .* further from now"):
        await publish(stack, [record])


async def test_a_topic_that_is_not_there_is_an_error_at_once(stack: StackAddresses) -> None:
    """Nobody waits for a topic that was never made, and none is made."""
    clock = SystemClock()
    begun = clock.monotonic()
    with pytest.raises(Misconfigured, match=r"Kafka has no topic test-absent\.topic"):
        await publish(stack, [Record("test-absent.topic", -1, -1, 1, b"k", (), b"v")])
    with pytest.raises(Misconfigured, match=r"Kafka has no topic test-absent\.topic"):
        await recorded_from(stack, "test-absent.topic")
    assert clock.monotonic() - begun < 10


async def test_a_broker_that_is_not_there_is_an_error_at_once() -> None:
    """A port on which nobody listens is said in a sentence."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        bootstrap = f"127.0.0.1:{unused.getsockname()[1]}"
        for login in (None, Issuer().login(PRODUCER)):
            with pytest.raises(DependencyUnavailable, match="Kafka"):
                async with KafkaPublisher(bootstrap, login):
                    pass
            with pytest.raises(DependencyUnavailable, match="Kafka"):
                async with KafkaRecorder(bootstrap, ["t"], ManualClock(), login):
                    pass


async def test_following_goes_on_until_it_is_left(stack: StackAddresses, topics: Topics) -> None:
    """What is there comes first, then what comes."""
    one = Record(topics.contacts, 1, -1, 5, b"k", (), b"one")
    await publish(stack, [one])
    async with KafkaRecorder(stack.bootstrap, [topics.contacts], ManualClock(), stack.login(ARCHIVER)) as recorder:
        following = recorder.follow()
        assert unplaced(await anext(following)) == unplaced(one)
        await publish(stack, [one._replace(value=b"two")])
        assert (await anext(following)).value == b"two"
