"""A large recording into Kafka and back, twice: `python -m tests.fault.recordings --records N --seed S`.

Prints what it saw; exits 1 where a byte differs, or a command takes more memory than it may.
"""

import argparse
import asyncio
import hashlib
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from deploy.stack.topics import PARTITIONS, delete_topics, ensure_topics
from producers.recording import Recording
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.login import ADMIN, KafkaLogin
from schemas.record import Record
from tests.fault.grounds import own_program
from tests.fuzz.records import hostile_records
from tests.support.memory import MIB, peak_bytes
from tests.support.program import Program

REPLAY_PEAK_BYTES_MAX: Final = 256 * MIB
RECORD_PEAK_BYTES_MAX: Final = 512 * MIB
"""What the commands may take, however large the recording is."""

COMMAND_LIMIT_S: Final = 1800.0

Flows = dict[tuple[str, int], tuple[int, str]]
"""Of each partition, how many records there are, and a digest of all of them in their order."""

Emptied = Callable[[], Awaitable[None]]
"""Makes the topics anew, so that the next record there has offset 0."""


@dataclass(slots=True)
class Report:
    """What each step took, and what should not be."""

    steps: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def expect(self, holds: bool, problem: str) -> None:
        """Note a problem, unless the condition holds."""
        if not holds:
            self.problems.append(problem)


async def round_trip(program: Program, emptied: Emptied, records: int, seed: int) -> Report:
    """Make a recording, replay and record it, and again with what was recorded; nothing may differ.

    The first way round keeps every partition's records, all fields, offsets included, in their order. The second one
    begins with the order in which `record` writes, and gives the same file.
    """
    report = Report()
    made, once, twice = (program.folder / f"{name}.jsonl.zst" for name in ("made", "once", "twice"))
    report.expect(
        Recording(made).write(placed_records(records, seed, program.topics)) == records, "records are missing"
    )
    await _through(program, report, made, once)
    report.expect(flows(once) == flows(made), "what was recorded is not what was replayed")
    await emptied()
    await _through(program, report, once, twice)
    report.expect(_file_digest(once) == _file_digest(twice), "the second recording is another file")
    return report


def placed_records(records: int, seed: int, topics: Topics) -> Iterator[Record]:
    """Yield fuzzed records at the places that they get in empty topics."""
    places: Counter[tuple[str, int]] = Counter()
    for record in islice(hostile_records(seed, topics), records):
        partition = zlib.crc32(record.key or b"") % PARTITIONS
        place = record.topic, partition
        yield record._replace(partition=partition, offset=places[place])
        places[place] += 1


def flows(path: Path) -> Flows:
    """Return what a recording has of each partition."""
    counts: Counter[tuple[str, int]] = Counter()
    digests: dict[tuple[str, int], bytes] = {}
    for record in Recording(path).read():
        place = record.topic, record.partition
        counts[place] += 1
        digests[place] = hashlib.sha256(digests.get(place, b"") + repr(record).encode()).digest()
    return {place: (counts[place], digest.hex()) for place, digest in digests.items()}


async def _through(program: Program, report: Report, source: Path, target: Path) -> None:
    replaying = ("replay", source, "--speed", "max")
    await _step(program, report, REPLAY_PEAK_BYTES_MAX, *replaying)
    await _step(program, report, RECORD_PEAK_BYTES_MAX, "record", target, "--until-caught-up")


async def _step(program: Program, report: Report, bytes_max: int, command: str, *arguments: object) -> None:
    began = time.monotonic()
    process = program.start(command, *arguments)
    peak = await peak_bytes(process, COMMAND_LIMIT_S)
    seconds = time.monotonic() - began
    report.steps.append(f"{command}: {seconds:.0f} s, peak {peak / MIB:.0f} MiB of {bytes_max // MIB} allowed")
    report.expect(process.returncode == 0, f"{command} exited {process.returncode}: {program.log()[-500:]}")
    report.expect(peak <= bytes_max, f"{command} took more memory than it may")


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def emptying(bootstrap: str, topics: Topics, admin: KafkaLogin) -> Emptied:
    """Return what makes the topics anew."""

    async def emptied() -> None:
        await delete_topics(bootstrap, topics, admin)
        await ensure_topics(bootstrap, topics, SystemClock(), login=admin)

    return emptied


async def main(records: int, seed: int) -> int:
    """Run on a stack of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with own_program(Path(folder), {}) as (stack, program):
            emptied = emptying(stack.bootstrap, program.topics, stack.login(ADMIN))
            report = await round_trip(program, emptied, records, seed)
    sys.stdout.write("".join(f"{step}\n" for step in report.steps))
    sys.stdout.write("".join(f"PROBLEM: {problem}\n" for problem in report.problems))
    sys.stdout.write(f"{records:,} records, {len(report.problems)} problems\n")
    return 1 if report.problems else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A large recording into Kafka and back.")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.records, given.seed)))
