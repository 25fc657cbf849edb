"""Records that are gone before they were archived: the lane stops, and goes on by an order that is kept."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from deploy.stack.topics import connect_admin, delete_topics, ensure_topics
from producers.kafka_publisher import KafkaPublisher
from producers.recording import Recording
from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.login import ADMIN, PRODUCER
from schemas.record import Record
from tests.conftest import StackAddresses
from tests.support.program import Program

SKIP = ("lane", "skip")


async def publish(stack: StackAddresses, records: list[Record]) -> None:
    async def each() -> AsyncIterator[Record]:
        for record in records:
            yield record

    async with KafkaPublisher(stack.bootstrap, stack.login(PRODUCER)) as publisher:
        await publisher.publish(each())


def talk(topic: str, people: int, seed: int) -> list[Record]:
    """Return a simulated hour, all of it in the first partition of one topic."""
    return [one._replace(partition=0) for one in simulate(people, 1, seed, Topics(topic, "x")) if one.topic == topic]


def lane(program: Program, partition: int = 0) -> dict[str, Any]:
    """Return the lane of the conversations' partition as `lane list` shows it."""
    (found,) = [
        one
        for one in program.json("lane", "list")
        if (one["topic"], one["partition"]) == (program.topics.conversations, partition)
    ]
    return dict(found)


async def test_expired_records_stop_the_lane_until_an_order(program: Program, stack: StackAddresses) -> None:
    """Nothing is skipped unasked, and no more than is gone when asked; `verify` still sees the loss."""
    topic = program.topics.conversations
    records = talk(topic, 40, 3)
    half = len(records) // 2
    recording = program.folder / "all.jsonl"
    Recording(recording).write(records)
    await publish(stack, records[:half])
    program.archive()
    assert lane(program)["state"] == "ready"
    refused = program.outputs(*SKIP, topic, 0, "--to", "oldest", "--reason", "why", expect=1)[1]
    assert "all records after the checkpoint are there" in refused

    await publish(stack, records[half:])
    admin = await connect_admin(stack.bootstrap, stack.login(ADMIN))
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=half + 5)})
    finally:
        await admin.close()
    said = program.outputs("archive", "--until-caught-up", expect=78)[1]
    assert f"archived up to offset {half}, but Kafka holds {half + 5} to {len(records)}: the 5 offsets" in said
    assert f"lane skip {topic} 0 --to {half + 5}" in said
    state = lane(program)
    assert (state["state"], state["given_up"], state["checkpoint"]) == ("expired", 5, half)
    refused = program.outputs(*SKIP, topic, 0, "--to", half + 6, "--reason", "why", expect=1)[1]
    assert f"can go on at {half + 5}" in refused

    order = program.json(*SKIP, topic, 0, "--to", half + 5, "--reason", "retention was a day")
    assert (order["from"], order["to"], order["given_up"]) == (half, half + 5, 5)
    counts = program.archive()
    assert counts["in"] == len(records) - half - 5
    (kept,) = program.json("lane", "orders")
    assert kept | order == kept
    assert kept["reason"] == "retention was a day"
    assert kept["application"]
    assert lane(program)["state"] == "ready"
    assert program.json("verify", recording, expect=1)["missing"] > 0


async def test_a_topic_that_was_made_again_is_known(program: Program, stack: StackAddresses) -> None:
    """Grown past the checkpoint it is another topic still; after an order all that it has is archived."""
    topic = program.topics.conversations
    before, after = talk(topic, 40, 3), talk(topic, 60, 4)
    assert len(after) > len(before)
    broken = before[0]._replace(value=b"no JSON")
    await publish(stack, [broken, *before])
    assert program.archive()["quarantined"] == 1
    await delete_topics(stack.bootstrap, program.topics, stack.login(ADMIN))
    await ensure_topics(stack.bootstrap, program.topics, SystemClock(), login=stack.login(ADMIN))
    await publish(stack, [broken, broken, *after])

    said = program.outputs("archive", "--until-caught-up", expect=78)[1]
    assert "the topic was made again" in said
    state = lane(program)
    assert (state["state"], state["checkpoint"]) == ("made-again", len(before) + 1)
    assert state["topic_id"] != state["archived_topic_id"]
    for gone in [one for one in program.json("lane", "list") if one["state"] != "ready"]:
        program.run(*SKIP, gone["topic"], gone["partition"], "--to", "oldest", "--reason", "made again by mistake")

    counts = program.archive()
    assert counts["in"] == len(after) + 2
    assert counts["quarantined"] == 2
    ids = {entry["id"] for entry in program.json("quarantine", "list")}
    assert ids == {f"{topic}/0/0", f"{topic}/0/0@1", f"{topic}/0/1@1"}
    recording = program.folder / "after.jsonl"
    Recording(recording).write(after)
    program.verify(recording)
    assert program.json("quarantine", "redrive", "--all")["quarantined"] == 3


async def test_a_topic_of_other_records_does_not_fill_the_quarantine(program: Program, stack: StackAddresses) -> None:
    """Above the rate the lane stops and says why; with the limit off, all of it goes to quarantine."""
    topic = program.topics.conversations
    other = [one._replace(value=b"another program's") for one in talk(topic, 40, 3)][:60]
    await publish(stack, other)
    limited = replace(program, settings={"ARCHIVE__QUARANTINE_RATE_MAX": "0.05"})
    said = limited.outputs("archive", "--until-caught-up", expect=78)[1]
    assert f"lane {topic}/0: 51 of the last 1000 records cannot be archived, mostly malformed-json" in said
    assert "another program's" not in said
    assert program.json("quarantine", "list") == []

    unlimited = replace(program, settings={"ARCHIVE__QUARANTINE_RATE_MAX": "1.0"})
    assert unlimited.archive()["quarantined"] == len(other)
