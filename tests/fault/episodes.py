"""Episodes on real processes, at any size: the tests run small ones, `make faults` the full ones."""

import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from pymongo import AsyncMongoClient

from producers.recording import Recording
from tests.support.program import Program
from tests.support.waiting import await_until

PROGRESS_LIMIT_S = 120.0

Progress = Callable[[], Awaitable[int]]


def another_archive(program: Program) -> Program:
    """Return the same program with an empty archive of its own."""
    other = replace(program, database=f"test_{uuid4().hex[:12]}")
    other.trust_issuer()
    return other


def simulated(program: Program, users: int, hours: float, seed: int = 1, *options: str) -> Path:
    """Simulate into a recording and replay it into Kafka; return the recording."""
    recording = program.folder / f"simulated-{users}-{hours}-{seed}.jsonl.gz"
    program.run("simulate", "--users", users, "--hours", hours, "--seed", seed, "--out", recording, *options)
    program.run("replay", recording, "--speed", "max")
    return recording


def digest_of(program: Program, recording: Path, *, workers: int, batch: int) -> str:
    """Archive into an archive of its own in this way, verify it, and return its digest."""
    own = another_archive(program)
    own.archive("--workers", workers, "--batch", batch)
    return str(own.verify(recording)["digest"])


async def killed_digest(program: Program, recording: Path, *, kills: int, batch: int, seed: int) -> str:
    """Archive while killing the archiver at `kills` moments drawn by `seed`, then to the end; return the digest."""
    own = another_archive(program)
    total = sum(1 for _ in Recording(recording).read())
    moments = sorted(random.Random(seed).sample(range(1, total), kills))
    async with AsyncMongoClient[dict[str, Any]](own.mongodb_uri) as client:
        checkpoints = client[own.database]["checkpoints"]

        async def archived() -> int:
            return sum([document["next"] async for document in checkpoints.find()])

        for moment in moments:
            process = own.start("archive", "--batch", batch)
            try:
                await await_until(_past(archived, moment), PROGRESS_LIMIT_S)
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
    own.archive("--batch", batch)
    return str(own.verify(recording)["digest"])


def _past(archived: Progress, moment: int) -> Callable[[], Awaitable[bool]]:
    async def past() -> bool:
        return await archived() >= moment

    return past
