"""Hostile records in a stream: each in quarantine with its cause and raw bytes, everything else archived."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from producers.recording import Recording
from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.record import Headers, Record
from tests.support.program import Program

Raw = tuple[str, bytes | None, Headers, bytes | None]
"""A cause, and a record as it was sent."""

BODY = b'{"conversation":"hostile","sip":"sip:a@b.example","text":"x","format":"plain"}'


def hostile(topic: str, recorded: Path) -> Iterator[tuple[str, Record]]:
    """Yield records that no archive can hold, each with the cause that it must be quarantined for."""
    for text in naughty_strings(recorded):
        yield "malformed-json", message(topic, text.encode())
    for cause, value in VALUES:
        yield cause, message(topic, value)
    for cause, name, header in HEADERS:
        yield cause, message(topic, BODY, **{name: header})
    yield "key-mismatch", message(topic, BODY)._replace(key=b"another")
    yield "key-mismatch", message(topic, BODY)._replace(key=None)
    yield "malformed-headers", message(topic, BODY)._replace(headers=message(topic, BODY).headers * 2)


VALUES = (
    ("oversized", BODY.replace(b'"x"', b'"' + b"x" * (2 * 1024 * 1024) + b'"')),
    ("malformed-json", BODY[:-1]),
    ("malformed-json", BODY.replace(b'"x"', b'"\x00"')),
    ("malformed-json", BODY.replace(b'"x"', b'"\\ud800"')),
    ("malformed-json", BODY.replace(b'"x"', b'"\xff"')),
    ("malformed-json", b"[" * 100_000),
    ("malformed-json", None),
    ("schema-mismatch", b"[]"),
    ("schema-mismatch", BODY.replace(b'"x"', b"5")),
    ("schema-mismatch", BODY.replace(b'"x"', b"null")),
    ("schema-mismatch", BODY.replace(b'"format"', b'"from"')),
    ("duplicate-keys", BODY.replace(b'"text":"x"', b'"text":"x","text":"y"')),
)

HEADERS = (
    *(("bad-sequence", "ce_sequence", value) for value in (b"0", b"-1", b"9223372036854775808", b"1.0", b"", b"1")),
    *(("bad-time", "ce_time", value) for value in (b"2013-01-01T00:00:00", b"2013-02-30T00:00:00Z", b"yesterday")),
    ("unknown-type", "ce_type", b"lync.conversation.shouted.v1"),
    ("unknown-version", "ce_type", b"lync.conversation.message.v2"),
    ("wrong-topic", "ce_type", b"lync.conference.message.v1"),
    ("malformed-headers", "ce_id", b"\xff"),
    ("malformed-headers", "ce_specversion", b"0.3"),
)


def naughty_strings(recorded: Path) -> list[str]:
    """Return the hostile strings of the recorded chat that are no JSON, to stand where an event should."""
    found = []
    with gzip.open(recorded / "naughty.jsonl.gz") as lines:
        for line in lines:
            text = json.loads(line).get("text", "")
            try:
                json.loads(text)
            except ValueError:
                found.append(text)
    return found


def message(topic: str, value: bytes | None, **changed: bytes) -> Record:
    """Return a record that would be fine with the right value and headers."""
    headers = {
        "ce_specversion": b"1.0",
        "ce_id": b"hostile-2",
        "ce_source": b"/hostile",
        "ce_type": b"lync.conversation.message.v1",
        "ce_time": b"2013-01-01T00:00:00Z",
        "ce_sequence": b"2",
        "content-type": b"application/json",
    } | changed
    return Record(topic, -1, -1, 1_356_998_400_000, b"hostile", tuple(headers.items()), value)


async def test_hostile_records_are_quarantined_and_nothing_else(program: Program, recorded: Path) -> None:
    """Mixed into a stream, each is in quarantine with its cause and bytes, all else archived: in = the sum of all."""
    topics = Topics(program.topics.conversations, program.topics.conferences)
    good = list(simulate(30, 1, 5, topics))
    bad = list(hostile(topics.conversations, recorded))
    mixed = [record for pair in zip_longest(good, (record for _, record in bad)) for record in pair if record]
    recording = program.folder / "hostile.jsonl.gz"
    Recording(recording).write(mixed)
    program.run("replay", recording, "--speed", "max")
    counts = program.archive()
    assert counts["in"] == len(mixed) == counts["archived"] + counts["duplicate"] + counts["quarantined"]
    assert counts["quarantined"] == len(bad)
    assert program.verify(recording)["quarantined"] == len(bad)
    assert await _quarantined(program) == Counter(_raw(cause, record) for cause, record in bad)


def _raw(cause: str, record: Record) -> Raw:
    return cause, record.key, record.headers, record.value


async def _quarantined(program: Program) -> Counter[Raw]:
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        return Counter(
            [
                (entry["cause"], entry["key"], tuple(map(tuple, entry["headers"])), entry["value"])
                async for entry in client[program.database]["quarantine"].find()
            ]
        )
