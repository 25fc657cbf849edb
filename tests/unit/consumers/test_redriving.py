"""Redriving, through everything that can go wrong on the way."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

import pytest

from consumers.batch import Batch, Counts, LaneId
from consumers.grant import Grant, GrantRefused
from consumers.grant_keeper import GrantKeeper
from consumers.lane import LaneLimits
from consumers.ports import Stale
from consumers.quarantine import Outcome, State
from consumers.reading import NotFound
from consumers.redrive import Redrive
from consumers.redriving import GIVE_UP_S, PAUSE_S_MAX, Redriver, Selection, Tally
from schemas.errors import Cause, DependencyUnavailable, Misconfigured
from schemas.record import Record
from tests.builders import (
    ALICE,
    BOB,
    CONFERENCES,
    CONVERSATIONS,
    TOPIC_STREAMS,
    activated,
    ended,
    history,
    message,
    started,
)
from tests.contract.store_contract import archive, batch_of
from tests.support.clock import ManualClock
from tests.support.faulty import Fault, FaultyQuarantine, When
from tests.support.trust import GRANT, ReadyAuthority

TALK = history(started(), *(message(ALICE, f"message {number}") for number in range(1, 5)), ended())
Store = TypeVar("Store", bound=FaultyQuarantine)

ALL = Selection()
DOWN = DependencyUnavailable("no primary")


async def damaged(script: Iterable[Fault | None] = ()) -> FaultyQuarantine:
    """Return an archive of a talk of six events, of which those at offsets 1, 2, 4 and 5 came damaged."""
    return await damage(FaultyQuarantine(ManualClock(), script))


async def damage(store: Store) -> Store:
    """Archive that talk in this store."""
    await archive(store, [one._replace(value=b"{") if one.offset in {1, 2, 4, 5} else one for one in TALK])
    return store


def replacements(*offsets: int) -> dict[str, Record]:
    """Return the records as they should have been, by entry id; their own place does not matter."""
    return {f"{CONVERSATIONS}/{offset}": TALK[offset]._replace(partition=7, offset=70) for offset in offsets}


async def redriven(
    store: FaultyQuarantine,
    selection: Selection = ALL,
    replacing: Mapping[str, Record] | None = None,
    limits: LaneLimits | None = None,
) -> Tally:
    """Redrive to the end, waking whoever sleeps."""
    clock = store.clock
    grants = GrantKeeper(ReadyAuthority(), clock)
    redriver = Redriver(store, store.contents, grants, clock, TOPIC_STREAMS, limits or LaneLimits())
    task = asyncio.ensure_future(redriver.run(selection, replacing))
    await clock.advance_through(task)
    return await task


def assert_whole(store: FaultyQuarantine) -> None:
    """The talk is there once and whole, and every record is counted as archived."""
    assert [event.sequence for event in store.events("c1")] == [1, 2, 3, 4, 5, 6]
    assert store.conversations()["c1"].complete
    assert [item.mailbox for item in store.items()] == [ALICE.sip, BOB.sip]
    checkpoint = store.checkpoints()[CONVERSATIONS]
    assert (checkpoint.next, checkpoint.counts) == (6, Counts(archived=6))
    assert {entry.state for entry in store.entries()} == {State.REDRIVEN}


async def test_everything_is_redriven_oldest_first() -> None:
    """Batches take what they may, in order of offset, and every entry is tried once."""
    store = await damaged()
    tally = await redriven(store, ALL, replacements(1, 2, 4, 5), LaneLimits(batch_records=3))
    assert tally == Tally(archived=4, replaced=4)
    offsets = [[result.entry.entry.record.offset for result in one.results] for one in store.redrives]
    assert offsets == [[1, 2, 4], [5]]
    assert_whole(store)


async def test_what_comes_back_is_tried_once() -> None:
    """Without better bytes all stays in quarantine, each tried once a redrive, and the redrive ends."""
    store = await damaged()
    for tries in (1, 2):
        tally = await redriven(store, ALL, None, LaneLimits(batch_records=1))
        assert tally == Tally(quarantined=4)
        assert [(entry.tries, entry.state) for entry in store.entries()] == [(tries, State.QUARANTINED)] * 4
    assert store.checkpoints()[CONVERSATIONS].counts == Counts(2, 0, 4)


async def test_ids_and_causes_select() -> None:
    """Ids are taken in order of offset, each once; those that are not meant are skipped, and an unknown one is said."""
    store = await damaged()
    names = tuple(f"{CONVERSATIONS}/{offset}" for offset in (5, 1, 5))
    with pytest.raises(NotFound):
        await redriven(store, Selection((*names, f"{CONVERSATIONS}/3")), replacements(1, 5))
    for nonsense in ("1", "a/b/c", ""):
        with pytest.raises(NotFound):
            await redriven(store, Selection((nonsense,)))
    assert store.redrives == []
    assert await redriven(store, Selection(names, Cause.OVERSIZED), replacements(1, 5)) == Tally(skipped=2)
    assert await redriven(store, Selection((), Cause.OVERSIZED), replacements(1, 5)) == Tally()
    assert await redriven(store, Selection(names), replacements(1, 5)) == Tally(archived=2, replaced=2)
    assert await redriven(store, Selection(names), replacements(1, 5)) == Tally(skipped=2)
    rest = await redriven(store, Selection((), Cause.MALFORMED_JSON), replacements(2, 4))
    assert rest == Tally(archived=2, replaced=2)
    assert_whole(store)


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("failing", range(4))
async def test_a_failure_leaves_exactly_one_copy(when: When, failing: int) -> None:
    """Whether a redrive failed or only its answer was lost, records are archived and counted once."""
    store = await damaged([*[None] * failing, Fault(DOWN, when), Fault(Stale("raced"), When.BEFORE)])
    tally = await redriven(store, ALL, replacements(1, 2, 4, 5), LaneLimits(batch_records=1))
    assert tally == Tally(archived=4, replaced=4)
    assert_whole(store)


async def test_a_lost_answer_about_what_came_back_counts_once() -> None:
    """An entry that came back in a redrive of unknown outcome is not tried a second time."""
    store = await damaged([Fault(DOWN, When.AFTER)])
    assert await redriven(store) == Tally(quarantined=4)
    assert [entry.tries for entry in store.entries()] == [1] * 4


async def test_tries_are_bounded() -> None:
    """A store that stays away ends the redrive with its error, in time; the same redrive goes on from there later."""
    store = await damaged([None, *[Fault(DOWN)] * 1000])
    with pytest.raises(DependencyUnavailable):
        await redriven(store, ALL, replacements(1, 2, 4, 5), LaneLimits(batch_records=2))
    assert GIVE_UP_S <= store.clock.monotonic() <= GIVE_UP_S + PAUSE_S_MAX
    assert store.checkpoints()[CONVERSATIONS].counts == Counts(4, 0, 2)
    store.mend()
    assert await redriven(store, ALL, replacements(1, 2, 4, 5)) == Tally(archived=2, replaced=2)
    assert_whole(store)


async def test_a_refused_grant_is_asked_for_again() -> None:
    """A grant that is refused is not used again; another may be good."""
    store = await damaged([Fault(GrantRefused("over"))])
    assert (await redriven(store, ALL, replacements(1, 2, 4, 5))).archived == 4
    assert_whole(store)


class Overtaken(FaultyQuarantine):
    """A lane archives the second event again, whole, just before the first redrive commits."""

    late: Batch | None = None

    async def redrive(self, grant: Grant, redrive: Redrive) -> None:
        late, self.late = self.late, None
        if late is not None:
            await self.commit(GRANT, late)
        await super().redrive(grant, redrive)


async def test_a_lane_that_writes_meanwhile_makes_it_fold_again() -> None:
    """A redrive that was overtaken reads the conversation again, and finds what came late a duplicate."""
    store = await damage(Overtaken(ManualClock()))
    store.late = await batch_of(store, [TALK[1]])
    tally = await redriven(store, ALL, replacements(1, 2, 4, 5))
    assert tally == Tally(archived=3, duplicate=1, replaced=4)
    outcomes = [entry.handled and entry.handled.outcome for entry in store.entries()]
    assert outcomes == [Outcome.DUPLICATE, *[Outcome.ARCHIVED] * 3]
    assert store.checkpoints()[CONVERSATIONS].counts == Counts(6, 1, 0)


async def test_lanes_are_redriven_one_after_the_other() -> None:
    """Entries of every lane are taken, each into its own lane's counts."""
    store = await damaged()
    meeting = history(activated())
    await store.commit(GRANT, await batch_of(store, [meeting[0]._replace(key=None)], CONFERENCES))
    tally = await redriven(store, ALL, {**replacements(1, 2, 4, 5), f"{CONFERENCES}/0": meeting[0]})
    assert tally.archived == 5
    assert store.checkpoints()[CONFERENCES].counts == Counts(archived=1)
    assert_whole(store)


async def test_a_topic_that_is_not_archived_is_said() -> None:
    """Records of a topic that the settings do not name cannot be decoded, and nothing is done about them."""
    store = FaultyQuarantine(ManualClock())
    batch = await batch_of(store, [TALK[0]._replace(value=b"{")])
    (rejected,) = batch.quarantine
    elsewhere = rejected._replace(record=rejected.record._replace(topic="elsewhere"))
    await store.commit(GRANT, replace(batch, lane=LaneId("elsewhere", 0), quarantine=(elsewhere,)))
    with pytest.raises(Misconfigured, match="elsewhere"):
        await redriven(store)
    assert [entry.tries for entry in store.entries()] == [0]
