"""Plays one episode: publish a slice, wait until so much of it is archived, let the fault happen; then compare."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pymongo import AsyncMongoClient

from schemas.clock import SystemClock
from schemas.errors import LyncArchiverError
from schemas.record import Record
from tests.checker.compare import compare
from tests.checker.model import expect
from tests.checker.mongo import read_archive
from tests.fault.harness.feed import Feed, Progress, looking
from tests.fault.harness.ground import Ground
from tests.fault.harness.members import Group
from tests.fault.harness.plan import Kind, Plan
from tests.fault.harness.workload import workload

CAUGHT_UP_LIMIT_S: Final = 120.0
"""From the last fault to the end of the topics: longer than any time-out or back-off on the way."""

START_LIMIT_S: Final = 60.0
STOP_LIMIT_S: Final = 60.0
FIRST_PART: Final = 0.6
"""The share of a slice that is published before its fault; the rest comes while the fault lasts or after it."""

POLL_S: Final = 0.01


@dataclass(slots=True)
class Outcome:
    """What an episode came to. `met` are the faults that happened while there was still something to archive."""

    plan: Plan
    findings: list[str] = field(default_factory=list)
    injected: list[Kind] = field(default_factory=list)
    met: list[Kind] = field(default_factory=list)
    records: int = 0
    duration_s: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class Stuck(Exception):
    """Something that must happen did not, within its limit."""


@dataclass(slots=True)
class Play:
    """An episode while it is played."""

    ground: Ground
    plan: Plan
    group: Group
    feed: Feed
    progress: Progress
    workload: list[Record]
    outcome: Outcome
    rest: list[Record] = field(default_factory=list)
    clock: SystemClock = field(default_factory=SystemClock)

    async def until(self, condition: Callable[[int], bool], limit_s: float, what: str) -> None:
        """Wait until a condition on the number of archived records holds; raises Stuck."""
        if not await self.patient(condition, limit_s):
            raise Stuck(f"not within {limit_s:.0f} s: {what}")

    async def patient(self, condition: Callable[[int], bool], limit_s: float) -> bool:
        """Wait as above, and say whether it came to hold. Members that end meanwhile are started again."""
        limit = self.clock.monotonic() + limit_s
        while not condition(await self.progress.archived()):
            self.group.supervise()
            if self.clock.monotonic() > limit:
                return False
            await self.clock.sleep(POLL_S)
        return True

    async def caught_up(self, limit_s: float = CAUGHT_UP_LIMIT_S) -> None:
        """Wait until everything that was published is archived."""
        await self.until(lambda archived: archived >= self.feed.published, limit_s, "caught up")

    async def feed_rest(self) -> None:
        """Publish the rest of the slice at hand: while a fault lasts, or after it where that cannot be."""
        rest, self.rest = self.rest, []
        if rest:
            await self.feed.publish(rest)

    async def feed_first(self, part: list[Record], depth: float) -> None:
        """Publish the first part of a slice, and wait until so much of it is archived."""
        size = round(len(part) * FIRST_PART)
        before = self.feed.published
        await self.feed.publish(part[:size])
        self.rest = part[size:]
        wanted = before + round(depth * size)
        await self.until(lambda archived: archived >= wanted, CAUGHT_UP_LIMIT_S, "before a fault")

    def slices(self) -> list[list[Record]]:
        """Return the workload in as many slices as there are faults, and one for the end."""
        count = len(self.plan.faults) + 1
        size = -(-len(self.workload) // count)
        return [self.workload[number * size : (number + 1) * size] for number in range(count)]


async def play(ground: Ground, plan: Plan) -> Outcome:
    """Play an episode to its end; whatever goes wrong on the way is a finding. The ground is whole again afterwards."""
    from tests.fault.harness.faults import Faults  # noqa: PLC0415  faults act on a play

    outcome = Outcome(plan)
    begun_s = SystemClock().monotonic()
    with tempfile.TemporaryDirectory() as name:
        async with ground.topics() as topics:
            direct = ground.program(topics, Path(name), plan.batch)
            group = Group(direct, ground.linked(direct), plan.linked)
            records = workload(plan.seed, plan.records, topics)
            async with looking(direct.mongodb_uri) as client:
                await ground.trust(client[direct.database])
                progress = Progress(client, direct.database)
                playing = Play(ground, plan, group, Feed(ground, topics), progress, records, outcome)
                try:
                    await _play(playing, Faults(playing))
                except (Stuck, AssertionError, LyncArchiverError) as failure:
                    outcome.findings.append(f"stuck: {failure}")
                finally:
                    group.kill()
                    await ground.start()
                await _judge(playing)
            await _forget(direct.mongodb_uri, direct.database)
    outcome.duration_s = SystemClock().monotonic() - begun_s
    return outcome


async def _play(playing: Play, faults: Any) -> None:
    for _ in range(playing.plan.members):
        playing.group.join()
    await playing.until(
        lambda _: all(member.ready for member in playing.group.members), START_LIMIT_S, "members that are up"
    )
    slices = playing.slices()
    for fault, part in zip(playing.plan.faults, slices, strict=False):
        if fault.joined:
            playing.rest += part
        else:
            await faults.end_lasting()
            await playing.feed_rest()
            await playing.feed_first(part, fault.depth)
        playing.outcome.injected.append(fault.kind)
        if (fault.joined or await playing.progress.archived() < playing.feed.published) and faults.meets(fault):
            playing.outcome.met.append(fault.kind)
        await faults.inject(fault)
    await faults.end_lasting()
    playing.rest += slices[-1]
    await playing.feed_rest()
    await playing.caught_up()
    playing.group.stop()
    limit_s = playing.clock.monotonic() + STOP_LIMIT_S
    while any(member.process for member in playing.group.members):
        playing.group.supervise()
        if playing.clock.monotonic() > limit_s:
            raise Stuck("members asked to stop did not")
        await playing.clock.sleep(POLL_S)
    await asyncio.to_thread(playing.group.direct.archive)


async def _judge(playing: Play) -> None:
    """Compare the archive with what is in Kafka, by the independent checker, and add what else was seen."""
    outcome, program = playing.outcome, playing.group.direct
    history = await playing.feed.history()
    outcome.records = len(history)
    findings = compare(expect(history), await read_archive(program.mongodb_uri, program.database))
    outcome.findings += findings.lines
    outcome.findings += playing.group.problems + playing.progress.falls
    outcome.findings += [halt for member in playing.group.members for halt in member.halts()]


async def _forget(uri: str, database: str) -> None:
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        await client.drop_database(database)
