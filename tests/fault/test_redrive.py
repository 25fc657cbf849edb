"""Damaged records come back from quarantine, on real processes: killed on the way, and beside a running archiver."""

import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from pymongo import AsyncMongoClient

from producers.recording import Recording
from producers.topics import Topics
from schemas.fingerprint import fingerprint
from schemas.record import Record
from tests.conftest import StackAddresses, own_topics
from tests.fault.episodes import another_archive, simulated
from tests.support.program import Program
from tests.support.waiting import await_until

DAMAGED_SHARE: Final = 0.05
LIMIT_S: Final = 120.0


def _header(record: Record, name: str, value: bytes | None) -> Record:
    headers = tuple((known, value if known == name else old) for known, old in record.headers)
    return record._replace(headers=headers)


DAMAGES: Final[tuple[tuple[str, Callable[[Record], Record]], ...]] = (
    ("malformed-json", lambda one: one._replace(value=(one.value or b"")[:-5])),
    ("malformed-json", lambda one: one._replace(value=None)),
    ("schema-mismatch", lambda one: one._replace(value=b"{}")),
    ("key-mismatch", lambda one: one._replace(key=b"another conversation")),
    ("key-mismatch", lambda one: one._replace(key=None)),
    ("malformed-headers", lambda one: one._replace(headers=())),
    ("bad-sequence", lambda one: _header(one, "ce_sequence", b"first")),
    ("bad-time", lambda one: _header(one, "ce_time", b"yesterday")),
    ("unknown-version", lambda one: _header(one, "ce_type", b"lync.conversation.message.v9")),
)
"""What becomes of a record on its way, and the cause that the archive finds."""


@pytest.fixture
async def other_topics(stack: StackAddresses) -> AsyncIterator[Topics]:
    """Topics for the damaged records."""
    async with own_topics(stack) as own:
        yield own


class Damage:
    """A recording, and the same with one record of twenty damaged; `expected` are those, as sent, by cause."""

    def __init__(self, program: Program, recording: Path) -> None:
        self.good = list(Recording(recording).read())
        draw = Random(5)
        self.bad: list[Record] = []
        self.originals: dict[bytes, Record] = {}
        self.expected: Counter[tuple[str, bytes]] = Counter()
        for number, record in enumerate(self.good):
            if draw.random() >= DAMAGED_SHARE:
                self.bad.append(record)
                continue
            cause, harm = DAMAGES[number % len(DAMAGES)]
            # A header of no meaning tells those apart that the damage made equal.
            harmed = harm(record)
            harmed = harmed._replace(headers=(*harmed.headers, ("damaged", b"%d" % number)))
            self.originals[fingerprint(harmed)] = record
            self.expected[cause, fingerprint(harmed)] += 1
            self.bad.append(harmed)
        self._program = program

    def send(self, records: Iterable[Record]) -> None:
        """Replay records into Kafka."""
        part = self._program.folder / "part.jsonl.gz"
        Recording(part).write(records)
        self._program.run("replay", part, "--speed", "max")

    async def repaired(self, program: Program) -> Path:
        """Return a recording of what the quarantined records should have been, at the places where they are."""
        lines = []
        for entry in await quarantined(program):
            good = self.originals[bytes(entry["fingerprint"])]
            lines.append(good._replace(partition=entry["partition"], offset=entry["offset"]))
        repaired = program.folder / f"{program.database}-repaired.jsonl.gz"
        Recording(repaired).write(lines)
        return repaired


async def quarantined(program: Program) -> list[dict[str, Any]]:
    """Return the entries of the quarantine as they are stored."""
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        return [entry async for entry in client[program.database]["quarantine"].find()]


async def states(program: Program) -> Counter[str]:
    """Return how many entries are in each state."""
    return Counter(entry["state"] for entry in await quarantined(program))


async def counted(program: Program) -> Counter[str]:
    """Return what all checkpoints count, and how many records they are past."""
    total: Counter[str] = Counter()
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        async for point in client[program.database]["checkpoints"].find():
            total.update({name: point[name] for name in ("archived", "duplicate", "quarantined")})
            total["in"] += point["next"] - point["start"]
    return total


def gaps(program: Program) -> int:
    """Return how many items show gaps."""
    export = program.folder / f"{program.database}-export.jsonl"
    program.run("mailbox", "export", "--all", export)
    mailboxes = (json.loads(line) for line in export.read_text().split("\n") if line)
    return sum(bool(item["gaps"]) for mailbox in mailboxes for item in mailbox["items"])


async def assert_restored(program: Program, recording: Path, clean: Program, digest: str) -> None:
    """The archive and its counts are those of a clean run, and nothing is quarantined."""
    assert (await states(program)).keys() == {"redriven"}
    verdict = program.verify(recording)
    assert (verdict["digest"], verdict["quarantined"]) == (digest, 0)
    assert gaps(program) == 0
    assert await counted(program) == await counted(clean)
    assert program.json("quarantine", "list") == []


def _past(program: Program, redriven: int) -> Callable[[], Awaitable[bool]]:
    async def past() -> bool:
        return (await states(program))["redriven"] >= redriven

    return past


@asynccontextmanager
async def short_transactions(program: Program) -> AsyncIterator[None]:
    """Let MongoDB end what a killed process left open within seconds, not a minute, while the block runs."""
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        answer = await client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=10)
        try:
            yield
        finally:
            await client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=answer["was"])


async def killed_redrive(program: Program, damage: Damage) -> None:
    """Redrive, killed with SIGKILL on the way, and again to the end; every record is counted once, then too."""
    process = program.start("quarantine", "redrive", "--all", "--with", await damage.repaired(program), "--batch", 1)
    try:
        await await_until(_past(program, 3), LIMIT_S)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = (await states(program))["quarantined"]
    assert 0 < left < len(damage.originals)
    counts = await counted(program)
    assert counts["in"] == counts["archived"] + counts["duplicate"] + left
    tally = program.json("quarantine", "redrive", "--all", "--with", await damage.repaired(program))
    assert tally["archived"] + tally["duplicate"] == left


async def test_damaged_records_are_redriven(program: Program, other_topics: Topics) -> None:
    """Whole, and killed in the middle and repeated: the archive is that of a run without damage.

    Before that, the quarantine holds exactly what was damaged, and gaps show.
    """
    clean = simulated(program, users=60, hours=2)
    program.archive()
    digest = str(program.verify(clean)["digest"])
    damaged = another_archive(replace(program, topics=other_topics))
    good = damaged.folder / "good.jsonl.gz"
    damaged.run("simulate", "--users", 60, "--hours", 2, "--seed", 1, "--out", good)
    damage = Damage(damaged, good)
    damage.send(damage.bad)
    twin = another_archive(damaged)
    for archive in (damaged, twin):
        counts = archive.archive()
        assert counts["quarantined"] == sum(damage.expected.values()) > 10
        found = Counter((entry["cause"], bytes(entry["fingerprint"])) for entry in await quarantined(archive))
        assert found == damage.expected
        assert gaps(archive) > 0
        archive.run("verify", good, expect=1)

    repaired = await damage.repaired(damaged)
    assert damaged.json("quarantine", "redrive", "--all")["quarantined"] == len(damage.originals)
    tally = damaged.json("quarantine", "redrive", "--all", "--with", repaired)
    assert tally["archived"] + tally["duplicate"] == tally["replaced"] == len(damage.originals)
    await assert_restored(damaged, good, program, digest)

    async with short_transactions(twin):
        await killed_redrive(twin, damage)
    await assert_restored(twin, good, program, digest)


async def test_archivers_run_meanwhile(program: Program) -> None:
    """While lanes go on with the same conversations, nothing is lost or doubled; what is discarded stays, marked."""
    good = program.folder / "good.jsonl.gz"
    program.run("simulate", "--users", 60, "--hours", 2, "--seed", 1, "--out", good)
    damage = Damage(program, good)
    half = len(damage.bad) // 2
    damage.send(damage.bad[:half])
    program.archive()
    first = await damage.repaired(program)
    archiver = program.start("archive", "--batch", 2)
    try:
        damage.send(damage.bad[half:])
        redriven = program.json("quarantine", "redrive", "--all", "--with", first, "--batch", 3)
        assert redriven["archived"] > 0
    finally:
        archiver.send_signal(signal.SIGTERM)
        archiver.wait()
    program.archive()
    program.run("quarantine", "redrive", "--all", "--with", await damage.repaired(program))
    assert (await states(program)).keys() == {"redriven"}
    program.verify(good)
    damage.send([damage.bad[0]._replace(value=b"nonsense")])
    program.archive()
    (entry,) = program.json("quarantine", "list")
    assert program.json("quarantine", "discard", entry["id"], "--reason", "a test's own") == {"discarded": 1}
    program.run("quarantine", "discard", entry["id"], "--reason", "again", expect=1)
    (marked,) = program.json("quarantine", "list", "--state", "discarded")
    assert marked["handled"]["reason"] == "a test's own"
    assert "a test's own" in program.run("quarantine", "show", entry["id"])
    assert "a test's own" in program.run("quarantine", "list", "--state", "all", "--since", marked["at"])
    assert program.json("quarantine", "list", "--state", "all", "--until", "2013-01-01T00:00:00Z") == []
    assert program.json("quarantine", "redrive", entry["id"])["skipped"] == 1
    program.run("quarantine", "redrive", "--all", entry["id"], expect=2)
    assert not any(program.json("quarantine", "redrive").values())
    counts = await counted(program)
    assert (counts["in"], counts["quarantined"]) == (len(damage.bad) + 1, 1)
