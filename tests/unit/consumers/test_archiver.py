"""One process of lanes: isolated from each other, together at the end."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from consumers.archiver import Archiver, LaneHalted
from consumers.batch import Batch, Checkpoint, LaneId
from consumers.fold import passing
from consumers.grant import Grant
from consumers.ports import ArchiveStore, LanesChange
from schemas.errors import DependencyUnavailable
from schemas.record import Record
from tests.builders import CONFERENCES, CONVERSATIONS, activated, entered, history, laid, message, person, started
from tests.support.clock import ManualClock
from tests.support.faulty import FaultyStore
from tests.support.lanes import Surroundings, surroundings
from tests.support.trust import ReadyAuthority
from tests.support.waiting import await_until

TALK = history(started(), message(), message())
MEETING = history(activated(), entered(person("alice")))
BOTH = {CONVERSATIONS: TALK, CONFERENCES: MEETING}


class MemoryMembership:
    """A group of one, which is given its lanes as soon as it joins."""

    def __init__(self, ends: Mapping[LaneId, tuple[int, int]], given: Sequence[LaneId]) -> None:
        self._ends = ends
        self._given = given
        self._assigning: asyncio.Task[None] | None = None
        self._assigned: LanesChange
        self._revoked: LanesChange
        self.published = 0

    def join(self, assigned: LanesChange, revoked: LanesChange) -> None:
        self._assigned, self._revoked = assigned, revoked
        self._assigning = asyncio.create_task(self._give(assigned))

    async def lose(self, *lanes: LaneId) -> None:
        """Take lanes away."""
        await self._revoked(lanes)

    async def give(self, *lanes: LaneId) -> None:
        """Give lanes."""
        await self._assigned(lanes)

    async def ends(self) -> Mapping[LaneId, tuple[int, int]]:
        return self._ends

    async def publish_marks(self) -> None:
        self.published += 1

    async def _give(self, assigned: LanesChange) -> None:
        await assigned(self._given)


class BreakingStore(FaultyStore):
    """A store with a bug that one lane alone meets."""

    def __init__(self, store: ArchiveStore, lane: LaneId) -> None:
        super().__init__(store)
        self.lane: LaneId | None = lane

    async def commit(self, grant: Grant, batch: Batch) -> None:
        if batch.lane == self.lane:
            raise RuntimeError("bug")
        await super().commit(grant, batch)


def group(around: Surroundings, records: Mapping[LaneId, Sequence[Record]]) -> MemoryMembership:
    return MemoryMembership({lane: (0, around.source.end(lane)) for lane in records}, list(records))


async def finished(archiver: Archiver, clock: ManualClock, stop: asyncio.Event, *, until_caught_up: bool) -> None:
    """Run the archiver to its end, letting time pass whenever it waits."""
    task = asyncio.ensure_future(archiver.run(stop, until_caught_up=until_caught_up))
    async with asyncio.timeout(10):
        await clock.advance_through(task)
    await task


async def test_it_ends_when_all_lanes_have_caught_up() -> None:
    """Until caught up means: every lane has committed what was there at the start, and then all stop."""
    around = surroundings(BOTH)
    membership = group(around, BOTH)
    archiver = Archiver(around.parts, membership, 5.0)
    await finished(archiver, around.clock, asyncio.Event(), until_caught_up=True)

    assert {lane: point.next for lane, point in around.memory.checkpoints().items()} == {
        CONVERSATIONS: 3,
        CONFERENCES: 2,
    }
    assert (archiver.lanes, archiver.halted) == ([], {})
    assert membership.published >= 1


async def test_empty_partitions_and_others_lanes_count_as_caught_up() -> None:
    """A partition without records needs no commit; one that another process has is judged by its checkpoint."""
    other = surroundings(BOTH)
    await finished(
        Archiver(other.parts, group(other, {CONFERENCES: MEETING}), 5.0),
        other.clock,
        asyncio.Event(),
        until_caught_up=True,
    )
    around = surroundings(BOTH)
    around.memory, around.store = other.memory, FaultyStore(other.memory)
    empty = CONVERSATIONS._replace(partition=5)
    ends = {CONVERSATIONS: (0, 3), CONFERENCES: (0, 2), empty: (8, 8)}
    archiver = Archiver(around.parts, MemoryMembership(ends, [CONVERSATIONS]), 5.0)
    await finished(archiver, around.clock, asyncio.Event(), until_caught_up=True)
    assert around.memory.checkpoints().keys() == {CONVERSATIONS, CONFERENCES}


class FailingOnce(FaultyStore):
    """A store that cannot be asked for the checkpoint of one lane, once."""

    def __init__(self, store: ArchiveStore, lane: LaneId) -> None:
        super().__init__(store)
        self._lane: LaneId | None = lane

    async def checkpoint(self, lane: LaneId) -> Checkpoint | None:
        if lane == self._lane:
            self._lane = None
            raise DependencyUnavailable("the store is away")
        return await super().checkpoint(lane)


async def test_a_store_that_is_away_while_others_lanes_are_asked_for_ends_nothing() -> None:
    """Whether another process has caught up is asked again where the store did not say."""
    around = surroundings(BOTH)
    await around.memory.commit(await ReadyAuthority().open(), passing(Checkpoint(CONFERENCES, 0), 2))
    around.store = FailingOnce(around.memory, CONFERENCES)
    ends = {CONVERSATIONS: (0, 3), CONFERENCES: (0, 2)}
    archiver = Archiver(around.parts, MemoryMembership(ends, [CONVERSATIONS]), 5.0)
    await finished(archiver, around.clock, asyncio.Event(), until_caught_up=True)
    assert around.end(CONVERSATIONS) == 3


async def test_it_runs_until_it_is_stopped() -> None:
    """Without an end to reach, lanes go on with what comes until stop is set."""
    around = surroundings(BOTH)
    membership = group(around, BOTH)
    stop = asyncio.Event()
    archiver = Archiver(around.parts, membership, 5.0)
    task = asyncio.create_task(archiver.run(stop, until_caught_up=False))
    await around.observer.until(lambda: around.end(CONVERSATIONS) == 3 and around.end(CONFERENCES) == 2)
    around.source.append(CONVERSATIONS, *laid(history(started(conversation="c2")), 3))
    await around.observer.until(lambda: around.end(CONVERSATIONS) == 4)
    assert len(archiver.lanes) == 2
    stop.set()
    await asyncio.wait_for(task, 10)
    assert archiver.lanes == []


async def test_one_lane_that_halts_stops_no_other() -> None:
    """A bug in one lane is told and raised at the end; the others archive all they have."""
    around = surroundings(BOTH)
    around.store = BreakingStore(around.memory, CONFERENCES)
    archiver = Archiver(around.parts, group(around, BOTH), 5.0)
    with pytest.raises(LaneHalted, match=r"lync\.conferences/0") as halted:
        await finished(archiver, around.clock, asyncio.Event(), until_caught_up=True)

    assert isinstance(halted.value.__cause__, RuntimeError)
    assert around.memory.checkpoints().keys() == {CONVERSATIONS}
    assert around.end(CONVERSATIONS) == 3
    assert [lane for lane, _ in around.observer.halts] == [CONFERENCES]
    assert archiver.halted.keys() == {CONFERENCES}


async def test_a_rebalance_beside_a_lane_that_halted_stops_no_other() -> None:
    """Amid it a process has no lane at all; then the others go on, and the one that halted is tried anew."""
    around = surroundings(BOTH)
    around.store = store = BreakingStore(around.memory, CONFERENCES)
    membership = group(around, BOTH)
    stop = asyncio.Event()
    archiver = Archiver(around.parts, membership, 5.0)
    task = asyncio.create_task(archiver.run(stop, until_caught_up=False))
    await around.observer.until(lambda: around.end(CONVERSATIONS) == 3)
    await await_until(lambda: bool(archiver.halted), limit_s=10)
    await membership.lose(*BOTH)
    for _ in range(3):
        around.clock.advance(await asyncio.wait_for(around.clock.asleep(), 10))
        await asyncio.wait({task}, timeout=0)
    store.lane = None
    await membership.give(*BOTH)
    await around.observer.until(lambda: around.end(CONFERENCES) == 2)
    assert (archiver.halted, len(archiver.lanes)) == ({}, 2)
    stop.set()
    await asyncio.wait_for(task, 10)


async def test_revoking_waits_for_the_commit_under_way() -> None:
    """A lane that is taken away finishes its commit first; the others run on."""
    around = surroundings(BOTH)
    membership = group(around, BOTH)
    stop = asyncio.Event()
    archiver = Archiver(around.parts, membership, 5.0)
    around.store.gate.clear()
    task = asyncio.create_task(archiver.run(stop, until_caught_up=False))
    while {batch.lane for batch in around.store.commits} != set(BOTH):
        around.store.entered.clear()
        await around.store.entered.wait()
    revoking = asyncio.create_task(membership.lose(CONVERSATIONS))
    around.store.gate.set()
    await revoking
    assert around.end(CONVERSATIONS) == 3
    assert [lane.id for lane in archiver.lanes] == [CONFERENCES]
    stop.set()
    await asyncio.wait_for(task, 10)


async def test_revoking_keeps_its_deadline() -> None:
    """A commit that hangs does not hold up the group: the lane is cut off, and what it does later is harmless."""
    around = surroundings(BOTH)
    membership = group(around, BOTH)
    stop = asyncio.Event()
    archiver = Archiver(around.parts, membership, 0.02)
    around.store.gate.clear()
    task = asyncio.create_task(archiver.run(stop, until_caught_up=False))
    await around.store.entered.wait()
    async with asyncio.timeout(5):
        await membership.lose(CONVERSATIONS, CONFERENCES)
    assert archiver.lanes == []
    assert around.memory.checkpoints() == {}
    around.store.gate.set()
    stop.set()
    await asyncio.wait_for(task, 10)
    await around.observer.until(lambda: around.end(CONVERSATIONS) == 3)
    assert archiver.halted == {}
