"""Fuzzed records through a real Kafka and the real archiver: `python -m tests.fault.fuzzed --records N --seed S`.

Prints what it saw; exits 1 where a record is lost, doubled or altered, a lane dies, or memory grows beyond its limit.
"""

import argparse
import asyncio
import hashlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from consumers.batch import LaneId
from consumers.kafka_source import KafkaSource
from consumers.mongo.documents import lane_of, quarantined_of
from deploy.settings import ArchiveSettings
from producers.kafka_publisher import KafkaPublisher
from schemas.fingerprint import fingerprint
from schemas.login import ARCHIVER, PRODUCER, KafkaLogin
from schemas.record import Record
from tests.fault.grounds import own_program
from tests.fuzz.records import hostile_records
from tests.support.memory import MIB, peak_bytes
from tests.support.program import Program

ARCHIVER_PEAK_BYTES_MAX: Final = 1024 * MIB
"""What one archiver process may take, whatever comes, and however much of it."""

ARCHIVING_LIMIT_S: Final = 3600.0

Database = AsyncDatabase[dict[str, Any]]


@dataclass(slots=True)
class Report:
    """What was counted, and what should not be."""

    counts: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    peak_bytes: int = 0
    sent_s: float = 0.0
    archived_s: float = 0.0

    def expect(self, holds: bool, problem: str) -> None:
        """Note a problem, unless the condition holds."""
        if not holds:
            self.problems.append(problem)


async def fuzz(program: Program, login: "Logins", records: int, seed: int) -> Report:
    """Publish as many fuzzed records, archive them, and compare what became of them with what was sent."""
    report = Report()
    sent: Counter[bytes] = Counter()
    began = time.monotonic()
    async with KafkaPublisher(program.bootstrap, login.producer) as publisher:
        await publisher.publish(_noted(program, records, seed, sent))
    report.sent_s = time.monotonic() - began
    process = program.start("archive", "--until-caught-up")
    report.peak_bytes = await peak_bytes(process, ARCHIVING_LIMIT_S)
    report.archived_s = time.monotonic() - began - report.sent_s
    report.expect(process.returncode == 0, f"the archiver exited {process.returncode}: {program.log()[-500:]}")
    report.expect(report.peak_bytes <= ARCHIVER_PEAK_BYTES_MAX, "the archiver took more memory than it may")
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        database = client[program.database]
        await _check_lanes(report, database, await _ends(program, login.archiver), records)
        await _check_archive(report, database)
        await _check_quarantine(report, database, sent)
    return report


@dataclass(frozen=True, slots=True)
class Logins:
    """Who writes to Kafka here, and who reads."""

    producer: KafkaLogin
    archiver: KafkaLogin


def settings() -> dict[str, str]:
    """Return the settings that let an archive take mostly refuse, where there is one to say so."""
    return {"ARCHIVE__QUARANTINE_RATE_MAX": "1.0"} if "quarantine_rate_max" in ArchiveSettings.model_fields else {}


async def _noted(program: Program, records: int, seed: int, sent: Counter[bytes]) -> AsyncIterator[Record]:
    for record in islice(hostile_records(seed, program.topics), records):
        sent[_digest(record)] += 1
        yield record


def _digest(record: Record) -> bytes:
    """Everything of a record but its place."""
    return hashlib.blake2b(fingerprint(record) + b"%d" % record.timestamp_ms, digest_size=12).digest()


async def _ends(program: Program, login: KafkaLogin) -> dict[LaneId, tuple[int, int]]:
    topics = (program.topics.conversations, program.topics.conferences)
    source = KafkaSource(program.bootstrap, program.database, topics, 10, login)
    await source.start()
    try:
        return dict(await source.ends())
    finally:
        await source.close()


async def _check_lanes(report: Report, database: Database, ends: dict[LaneId, tuple[int, int]], records: int) -> None:
    """In = archived + duplicate + quarantined, lane by lane, and what is in the topics is in."""
    report.expect(sum(end - first for first, end in ends.values()) == records, "the topics do not hold what was sent")
    entries = Counter(
        {
            lane_of(f"{one['_id']['topic']}/{one['_id']['partition']}"): one["count"]
            async for one in await database["quarantine"].aggregate(_BY_LANE)
        }
    )
    found = {lane_of(one["_id"]): one async for one in database["checkpoints"].find()}
    for lane, (first, end) in ends.items():
        if first == end and lane not in found:
            continue
        counts = Counter({name: found[lane][name] for name in ("archived", "duplicate", "quarantined")})
        report.counts += counts
        report.expect((found[lane]["start"], found[lane]["next"]) == (first, end), f"{lane} is not at its end")
        report.expect(counts.total() == end - first, f"{lane} counts other than it took")
        report.expect(entries[lane] == counts["quarantined"], f"{lane} has other entries in quarantine than it counts")


async def _check_archive(report: Report, database: Database) -> None:
    held = 0
    async for one in database["segments"].find({}, {"last": 1}):
        held += one["last"] - one["_id"]["first"] + 1
    report.expect(held == report.counts["archived"], f"{held} events are held")


async def _check_quarantine(report: Report, database: Database, sent: Counter[bytes]) -> None:
    """Each entry is a record that was sent, whole, and none is there more often than it was sent."""
    strange = 0
    async for document in database["quarantine"].find(batch_size=1000):
        entry = quarantined_of(document)
        digest = _digest(entry.record)
        strange += sent[digest] <= 0
        sent[digest] -= 1
        report.causes[str(entry.cause)] += 1
    report.expect(not strange, f"{strange} entries of the quarantine are not what was sent")


_BY_LANE: Final = [{"$group": {"_id": {"topic": "$topic", "partition": "$partition"}, "count": {"$sum": 1}}}]


async def main(records: int, seed: int) -> int:
    """Run on a stack of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with own_program(Path(folder), settings()) as (stack, program):
            report = await fuzz(program, Logins(stack.login(PRODUCER), stack.login(ARCHIVER)), records, seed)
    write = sys.stdout.write
    write(f"{records:,} records sent in {report.sent_s:.0f} s, archived in {report.archived_s:.0f} s\n")
    write(f"{dict(report.counts)}\n{dict(report.causes)}\n")
    write(f"archiver's peak: {report.peak_bytes / MIB:.0f} MiB of {ARCHIVER_PEAK_BYTES_MAX // MIB} allowed\n")
    write("".join(f"PROBLEM: {problem}\n" for problem in report.problems))
    return 1 if report.problems else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fuzzed records through Kafka and the archiver.")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.records, given.seed)))
