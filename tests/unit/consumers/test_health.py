"""When a store counts as failing, and what an archiver then says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumers.health import FAILURES_MIN, STEADY_S, Judgement
from consumers.health_reporting import PROBE_S, HealthReporting, Stores, WatchedLanes
from consumers.ports import Fenced, StoreUnavailable
from schemas.clock import SystemClock
from schemas.errors import DependencyUnavailable, LyncArchiverError
from schemas.health import HEARTBEAT_S, Condition, StoreHealth
from tests.builders import CONVERSATIONS
from tests.support.clock import ManualClock
from tests.support.observer import MemoryObserver

_REAL = SystemClock()
FAILED = StoreUnavailable("no primary")


def test_failures_in_a_row_make_a_store_failing() -> None:
    """One failure does not, nor do many with a success between any two."""
    once = Judgement().failed()
    assert once.condition is Condition.OK
    assert once.succeeded(1.0) == Judgement()
    assert FAILURES_MIN == 2
    assert once.failed().condition is Condition.FAILING


def test_a_failing_store_is_well_once_it_takes_everything_for_a_while() -> None:
    """A failure in between begins the while anew."""
    failing = Judgement().failed().failed()
    begun = failing.succeeded(10.0)
    assert begun.condition is Condition.FAILING
    assert begun.succeeded(10.0 + STEADY_S - 0.1).condition is Condition.FAILING
    assert begun.succeeded(10.0 + STEADY_S) == Judgement()
    again = begun.failed().succeeded(10.0 + STEADY_S)
    assert again.condition is Condition.FAILING
    assert again.succeeded(10.0 + 2 * STEADY_S) == Judgement()


class ScriptedProbe:
    """A `StoreProbe` that fails while it is told to."""

    def __init__(self) -> None:
        self.fails = False

    async def write(self) -> None:
        if self.fails:
            raise FAILED


class MemoryPublisher:
    """A `HealthPublisher` that keeps what was said, and refuses while it is told to."""

    def __init__(self) -> None:
        self.said: list[StoreHealth | None] = []
        self.refuses = False

    async def publish(self, archiver: str, health: StoreHealth | None) -> None:
        assert archiver == "a1"
        if self.refuses:
            raise DependencyUnavailable("no broker")
        self.said.append(health)


class Told:
    """A `HealthObserver` that remembers."""

    def __init__(self) -> None:
        self.changes: list[tuple[Condition, Condition]] = []
        self.unheard: list[LyncArchiverError] = []

    def changed(self, health: StoreHealth) -> None:
        self.changes.append((health.store, health.files))

    def unpublished(self, error: LyncArchiverError) -> None:
        self.unheard.append(error)


class Surroundings:
    """One archiver's reports, with a clock that the test drives."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store, self.files = ScriptedProbe(), ScriptedProbe()
        self.publisher, self.told = MemoryPublisher(), Told()
        stores = Stores(self.store, self.files)
        self.reporting = HealthReporting("a1", stores, self.publisher, self.told, self.clock)

    async def pass_time(self, seconds: float) -> None:
        """Let so much time pass, a tenth of a second after the other, with everybody at work in between."""
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            for _ in range(10):
                await _REAL.sleep(0)


@asynccontextmanager
async def reporting() -> AsyncIterator[Surroundings]:
    around, stop = Surroundings(), asyncio.Event()
    task = asyncio.create_task(around.reporting.run(stop))
    try:
        yield around
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


async def test_it_says_how_the_stores_are_at_every_heartbeat_and_leaves() -> None:
    """Unchanged reports differ in their time alone; the last one takes back what was said."""
    async with reporting() as around:
        await around.pass_time(HEARTBEAT_S * 3 + 0.5)
    *reports, last = around.publisher.said
    assert last is None
    assert len(reports) == 4
    assert len({report.at for report in reports if report}) == 4
    assert {(report.store, report.files) for report in reports if report} == {(Condition.OK, Condition.OK)}
    assert len({report.since for report in reports if report}) == 1


async def test_a_failing_store_is_said_at_once_and_taken_back_by_itself() -> None:
    """Files alone, too; nobody has to write for the recovery to be seen."""
    async with reporting() as around:
        await around.pass_time(1)
        around.files.fails = True
        await around.pass_time(PROBE_S * FAILURES_MIN + 0.5)
        assert around.told.changes == [(Condition.OK, Condition.FAILING)]
        assert around.publisher.said[-1] is not None
        assert around.publisher.said[-1].files is Condition.FAILING
        around.files.fails = False
        await around.pass_time(STEADY_S + 2 * PROBE_S)
        assert around.told.changes[1:] == [(Condition.OK, Condition.OK)]


async def test_lanes_bring_evidence_too_but_for_races() -> None:
    """What a lane meets of the store counts, a race or another server's failure does not; its observer hears all."""
    around, observer = Surroundings(), MemoryObserver()
    lanes = WatchedLanes(observer, around.reporting)
    for error in (Fenced("raced"), DependencyUnavailable("no broker"), Fenced("raced")):
        lanes.delayed(CONVERSATIONS, error)
    assert around.told.changes == []
    lanes.delayed(CONVERSATIONS, FAILED)
    lanes.delayed(CONVERSATIONS, FAILED)
    lanes.halted(CONVERSATIONS, ValueError("a bug"))
    assert around.told.changes == [(Condition.FAILING, Condition.OK)]
    assert len(observer.delays) == 5
    assert len(observer.halts) == 1


async def test_not_to_be_heard_is_told_once() -> None:
    """The archiver goes on, and tells again only after it was heard in between."""
    async with reporting() as around:
        await around.pass_time(1)
        around.publisher.refuses = True
        await around.pass_time(3 * HEARTBEAT_S)
        assert len(around.told.unheard) == 1
        around.publisher.refuses = False
        await around.pass_time(HEARTBEAT_S)
        around.publisher.refuses = True
        await around.pass_time(HEARTBEAT_S)
        assert len(around.told.unheard) == 2
