"""What a broker takes from a producer that is not ours: each record is read whole and in place, none is skipped."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaProducer
from pymongo import AsyncMongoClient

from consumers.kafka_login import TokenProvider, login_options
from consumers.mongo.documents import quarantined_of
from deploy.stack.broker import RECORD_BATCH_BYTES_MAX
from producers.kafka_odd_batch import OddBatch
from producers.kafka_publisher import KafkaPublisher
from producers.kafka_recorder import KafkaRecorder
from producers.recording import Recording
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.fingerprint import fingerprint
from schemas.login import ADMIN, ARCHIVER, PRODUCER
from schemas.record import Headers, Record, header_name
from tests.conftest import StackAddresses
from tests.support.batches import CODECS, STAMP_MS, Form, RawProducer, batch, batch_of, body, counted, varint
from tests.support.program import Program

ODD: Final = header_name(b"x\xff\x00\xfe\xed\xa0\x80")
BARE: Final = b"\0" + varint(0) + varint(0)
"""The first fields of a record: attributes, time and place."""

LIMIT_S: Final = 60.0


def record(value: bytes | None = b"v", key: bytes | None = b"k", headers: Headers = (), at: int = STAMP_MS) -> Record:
    return Record("", -1, -1, at, key, headers, value)


NAMED: Final = (
    record(),
    record(headers=((ODD, b"1"), (ODD, None), ("ce_id", b"x"), ("", b""))),
    record(None, None, ((ODD, b"\xff"),)),
    record(b"after"),
)
LONG: Final = record(b"z" * 1000, headers=((ODD, b"1"),))
WIDE: Final = ((ODD, b"\0" * (10 << 20)), ("x", None), ("x", b"\0" * (10 << 20)))
TWO: Final = (record(b"first"), record(b"second"))

TAKEN: Final[Mapping[str, tuple[bytes, Iterable[Record]]]] = {
    "names that are not UTF-8": (batch(NAMED), NAMED),
    **{f"such names in codec {codec}": (batch([LONG, LONG], Form(codec=codec)), [LONG, LONG]) for codec in CODECS},
    "places beyond the batch": (
        batch_of([body(one, place, STAMP_MS) for one, place in zip(TWO, (5, 2**30), strict=True)], STAMP_MS, STAMP_MS),
        TWO,
    ),
    "places backwards": (
        batch_of([body(one, place, STAMP_MS) for one, place in zip(TWO, (1, 0), strict=True)], STAMP_MS, STAMP_MS),
        TWO,
    ),
    "one place twice": (batch_of([body(one, 0, STAMP_MS) for one in TWO], STAMP_MS, STAMP_MS), TWO),
    "places before the batch": (
        batch_of([body(one, place, STAMP_MS) for one, place in zip(TWO, (-3, -2), strict=True)], STAMP_MS, STAMP_MS),
        TWO,
    ),
    "a time before 1970": (batch([record(at=-5)]), [record(at=-5)]),
    "no time": (batch([record(at=-1)]), [record(at=-1)]),
    "a batch's time that is wrong": (batch([record()], Form(latest_ms=5)), [record()]),
    "attributes that have no meaning": (batch([record()], Form(attributes=0xC0)), [record()]),
    "100,000 headers": (batch([record(headers=(("h", None),) * 100_000)]), [record(headers=(("h", None),) * 100_000)]),
    "100,000 odd headers": (
        batch([record(headers=((ODD, b""),) * 100_000)]),
        [record(headers=((ODD, b""),) * 100_000)],
    ),
    "a long name": (batch([record(headers=((ODD * 20_000, b""),))]), [record(headers=((ODD * 20_000, b""),))]),
    "nothing": (batch([record(None, None)]), [record(None, None)]),
    "empty fields": (batch([record(b"", b"", (("", None),))]), [record(b"", b"", (("", None),))]),
    "a null of length -5": (
        batch_of([counted(BARE + varint(-5) + varint(-3) + b"\0")], STAMP_MS, STAMP_MS),
        [record(None, None)],
    ),
    "20 MiB in a few KiB": (batch([record(b"\0" * (20 << 20))], Form(codec=1)), [record(b"\0" * (20 << 20))]),
    "20 MiB of headers": (batch([record(headers=WIDE)], Form(codec=4)), [record(headers=WIDE)]),
    "a value of 7 MiB": (
        batch([record(b"x" * (7 << 20), headers=((ODD, b""),))]),
        [record(b"x" * (7 << 20), headers=((ODD, b""),))],
    ),
}
"""Batches that the broker takes, and what is in them."""

REFUSED: Final = {
    "an unknown codec": batch([record()], Form(codec=5)),
    "another format": batch([record()], Form(magic=3)),
    "an old format": batch([record()], Form(magic=1)),
    "a wrong checksum": batch([record()], Form(crc=5)),
    "a marker": batch([record(b"\0" * 6, b"\0" * 4)], Form(attributes=0x20)),
    "fewer records than it says": batch([record()], Form(records=2, last_delta=1)),
    "more records than it says": batch(TWO, Form(records=1, last_delta=0)),
    "no records": batch([]),
    "a tail": batch([record()], Form(tail=b"abc")),
    "a range that is too long": batch([record()], Form(last_delta=9)),
    "fewer headers than none": batch_of([counted(BARE + varint(-1) * 3)], STAMP_MS, STAMP_MS),
    "a header without a name": batch_of(
        [counted(BARE + varint(-1) * 2 + varint(1) + varint(-1) * 2)], STAMP_MS, STAMP_MS
    ),
}
"""Batches that no broker takes, so that no reader meets them."""


@pytest.fixture
async def sent(stack: StackAddresses, topics: Topics) -> list[Record]:
    """All that brokers take, in one partition among usual records, as it must be read."""
    topic, usual = topics.conversations, record(b"usual")
    held: list[Record] = []
    async with RawProducer(stack.bootstrap, stack.login(PRODUCER)) as producer:
        for name, (content, records) in TAKEN.items():
            assert await producer.send(topic, 0, [content, batch([usual] * 3)]) == [0, 0], name
            held += [*records, *[usual] * 3]
        for name, content in REFUSED.items():
            assert await producer.send(topic, 0, [content]) != [0], name
    return [one._replace(topic=topic, partition=0, offset=offset) for offset, one in enumerate(held)]


async def recorded(stack: StackAddresses, topic: str) -> list[Record]:
    async with KafkaRecorder(stack.bootstrap, [topic], SystemClock(), stack.login(ARCHIVER)) as recorder:
        return [one async for one in recorder.history()]


async def test_a_recording_keeps_all_of_it(
    stack: StackAddresses, topics: Topics, sent: list[Record], tmp_path: Any
) -> None:
    """Recorded as history and as it comes, written, read, and published again: the same bytes at the same places."""
    assert await recorded(stack, topics.conversations) == sent
    async with KafkaRecorder(stack.bootstrap, [topics.conversations], SystemClock(), stack.login(ARCHIVER)) as recorder:
        followed: list[Record] = []
        async with asyncio.timeout(LIMIT_S):
            async for one in recorder.follow():
                followed.append(one)
                if len(followed) == len(sent):
                    break
    assert followed == sent
    Recording(tmp_path / "r.jsonl").write(sent)
    assert list(Recording(tmp_path / "r.jsonl").read()) == sent
    again = [one._replace(topic=topics.contacts) for one in sent if size(one) < RECORD_BATCH_BYTES_MAX]
    async with KafkaPublisher(stack.bootstrap, stack.login(PRODUCER)) as publisher:
        assert await publisher.publish(each(again)) == len(again)
    placed = [one._replace(offset=offset) for offset, one in enumerate(again)]
    assert await recorded(stack, topics.contacts) == placed


def size(one: Record) -> int:
    return len(one.value or b"") + sum(len(value or b"") for _, value in one.headers)


async def each(records: Iterable[Record]) -> AsyncIterator[Record]:
    for one in records:
        yield one


async def test_all_of_it_comes_to_quarantine(
    stack: StackAddresses, topics: Topics, database: str, sent: list[Record], tmp_path: Any
) -> None:
    """The lane goes on behind each, skips none, and the quarantine holds every byte, for a redrive as well."""
    program = Program(stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.issuer_folder, topics, tmp_path, database)
    program.trust_issuer()
    counts = program.archive()
    assert counts == {"in": len(sent), "archived": 0, "duplicate": 0, "quarantined": len(sent)}
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        entries = client[program.database]["quarantine"].find(batch_size=1)
        held = [(quarantined_of(entry).record, bytes(entry["fingerprint"])) async for entry in entries]
    assert sorted(held) == sorted((one, fingerprint(one)) for one in sent)
    shown = program.json("quarantine", "show", f"{topics.conversations}/0/1")
    assert shown["cause"] == "malformed-headers"
    assert shown["detail"] == "a header's name is not UTF-8"
    assert shown["record"]["headers"][0] == {"base64": "eP8A/u2ggA=="}
    assert program.json("quarantine", "redrive", "--cause", "malformed-headers")["quarantined"] > 0


async def test_transactions_are_respected(stack: StackAddresses, topics: Topics) -> None:
    """Of aborted transactions nothing is read, whatever names their headers have, and of the others everything."""
    topic, login = topics.contacts, stack.login(ADMIN)
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.bootstrap,
        transactional_id=topic,
        **login_options(login, TokenProvider(stack.bootstrap, login)),
    )
    await producer.start()
    try:
        for number in range(8):
            await producer.begin_transaction()
            odd = OddBatch(record(b"%d" % number, headers=((ODD, b""),)))
            builder: Any = odd._builder
            builder._is_transactional = True
            await (await producer.send_batch(odd, topic, partition=0))
            await producer.send_and_wait(topic, b"plain", partition=0)
            await (producer.commit_transaction() if number % 2 else producer.abort_transaction())
    finally:
        await producer.stop()
    async with RawProducer(stack.bootstrap, login) as raw:
        assert await raw.send(topic, 0, [batch(NAMED)]) == [0]
    values = [one.value for one in await recorded(stack, topic)]
    assert values == [b"1", b"plain", b"3", b"plain", b"5", b"plain", b"7", b"plain", *(one.value for one in NAMED)]
