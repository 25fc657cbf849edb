"""Playing an episode: processes, faults and records run together; at the end the checker says what became of it all."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

from consumers.archiver import Archiver, LaneHalted
from consumers.batch import Batch, LaneId
from consumers.grant_keeper import GrantKeeper
from consumers.lane import LaneParts
from consumers.memory_store import MemoryStore
from consumers.policy.governing import Governing
from schemas.errors import LyncArchiverError
from tests.builders import FILE, TOPIC_STREAMS, reference
from tests.checker.compare import compare
from tests.checker.model import expect
from tests.episodes.archived import archive_of
from tests.episodes.authority import DistantAuthority
from tests.episodes.episode import TROUBLES, Episode, Fault, Kind
from tests.episodes.group import SESSION_S, Group, GroupMembership
from tests.episodes.judge import Judge
from tests.episodes.log import Log, LogSource
from tests.episodes.loop import VirtualLoop
from tests.episodes.process import Process, ProcessClock
from tests.episodes.store import DistantStore
from tests.episodes.world import World

PATIENCE_S = 180.0
"""Once nothing breaks any more, all must be archived within this time: six of the longest pauses."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an episode showed: its findings, a hash of everything that happened, and how much that was."""

    findings: tuple[str, ...]
    trace: str
    records: int
    commits: int
    virtual_s: float
    happened: tuple[str, ...]

    @property
    def kinds(self) -> Counter[str]:
        """How many findings there are of each kind."""
        return Counter(line.split(":")[0] for line in self.findings)


def play(episode: Episode) -> Outcome:
    """Play it from its first record until everything is archived, or should have been."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_Play(episode, loop).run())
    finally:
        loop.close()


class _Observer:
    def __init__(self, world: World) -> None:
        self._world = world

    def committed(self, batch: Batch, duration_s: float) -> None:
        """The judge knows already."""

    def delayed(self, lane: LaneId, error: LyncArchiverError) -> None:
        self._world.note(lane, "waits for", type(error).__name__)

    def halted(self, lane: LaneId, error: BaseException) -> None:
        self._world.problem("halted", f"{lane} by {type(error).__name__}")


FILES: Final = {reference().sha256: reference().size}
"""What the content store has, as the checker takes it."""


class _Play:
    def __init__(self, episode: Episode, loop: VirtualLoop) -> None:
        self._episode = episode
        self._world = World(episode.seed, loop, episode.grant_life_s)
        self._log = Log(episode.lanes, episode.first_offset)
        self._memory = MemoryStore(self._world.clock, self._world.partners)
        self._memory.contents.put(FILE)
        self._judge = Judge(self._world, self._log, self._memory)
        self._group = Group(self._world, episode.lanes)
        self._started = 0
        self._processes: list[Process] = []

    async def run(self) -> Outcome:
        self._world.spawn(self._group.run())
        self._processes = [self._start() for _ in range(self._episode.processes)]
        under_way = [self._world.spawn(self._append())]
        under_way += [self._world.spawn(self._break(fault)) for fault in self._episode.faults]
        await asyncio.gather(*under_way)
        await self._wait_until_done()
        await self._stop()
        virtual_s = self._world.clock.monotonic()
        await self._world.close()
        records = self._log.records()
        lines = compare(expect(records, FILES), archive_of(self._memory), FILES).lines
        findings = (*self._world.problems, *lines)
        happened = tuple(self._world.happened)
        return Outcome(findings, self._world.trace, len(records), self._judge.commits, virtual_s, happened)

    async def _append(self) -> None:
        clock = self._world.clock
        for at_s, lane, record in self._episode.arrivals:
            if at_s > clock.monotonic():
                await clock.sleep(at_s - clock.monotonic())
            self._log.append(lane, record)

    async def _wait_until_done(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not self._judge.done:
                    self._judge.progressed.clear()
                    await self._judge.progressed.wait()
        except TimeoutError:
            self._world.problem("stuck", f"not everything is archived {PATIENCE_S:.0f} s after the last fault")

    async def _stop(self) -> None:
        """Stop every process as a signal does, and let what is under way come to its end."""
        for process in self._processes:
            process.stop.set()
        for process in self._processes:
            await process.over.wait()
        await self._world.clock.sleep(10.0)

    def _start(self) -> Process:
        self._started += 1
        process = Process(f"p{self._started}", self._world)
        process.spawn(self._main(process))
        return process

    async def _main(self, process: Process) -> None:
        clock = ProcessClock(process)
        store = DistantStore(self._memory, self._judge, process)
        parts = LaneParts(
            source=LogSource(self._log, process),
            store=store,
            contents=self._memory.contents,
            grants=GrantKeeper(DistantAuthority(process), clock),
            observer=_Observer(self._world),
            clock=clock,
            streams=TOPIC_STREAMS,
            limits=self._episode.limits,
            governing=Governing(store),
        )
        archiver = Archiver(parts, GroupMembership(self._group, self._log, process), self._episode.flush_timeout_s)
        try:
            await archiver.run(process.stop, until_caught_up=False)
        except (LaneHalted, LyncArchiverError) as error:
            self._world.note(process.name, "ends by", type(error).__name__)
        await process.settle()
        self._group.leave(process)
        process.over.set()

    async def _break(self, fault: Fault) -> None:
        await self._world.clock.sleep(fault.at_s)
        self._world.note("fault", fault)
        match fault.kind:
            case Kind.KILL | Kind.PAUSE | Kind.STOP:
                await self._hit(fault)
            case Kind.REBALANCE:
                self._group.rebalance()
                await self._world.clock.sleep(fault.lasts_s)
                self._group.rebalance()
            case Kind.KEY_ROLLED:
                await self._world.roll_key()
                await self._world.clock.sleep(fault.lasts_s)
                await self._world.roll_key()
            case Kind.CLOCK_FORWARD | Kind.CLOCK_BACK:
                self._world.clock.jump(fault.lasts_s * (1000 if fault.kind is Kind.CLOCK_FORWARD else -1000))
            case _:
                await self._world.begin(TROUBLES[fault.kind])
                await self._world.clock.sleep(fault.lasts_s)
                await self._world.end(TROUBLES[fault.kind])

    async def _hit(self, fault: Fault) -> None:
        process = self._processes[fault.process]
        if process.over.is_set():
            return
        match fault.kind:
            case Kind.KILL:
                process.kill()
                self._world.spawn(self._expire(process))
            case Kind.PAUSE:
                process.pause()
                self._world.spawn(self._expire(process))
                await self._world.clock.sleep(fault.lasts_s)
                process.resume()
                return
            case _:
                process.stop.set()
                await process.over.wait()
                if not process.alive:  # whoever killed it starts it again
                    return
        await self._world.clock.sleep(fault.lasts_s)
        self._processes[fault.process] = self._start()

    async def _expire(self, process: Process) -> None:
        await self._world.clock.sleep(SESSION_S)
        if process.stands_still:
            self._group.expire(process)
