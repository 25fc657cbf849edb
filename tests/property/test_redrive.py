"""Redrives over generated histories. The docstring names the planted bugs that the test has caught."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.content import Claim, ContentState
from consumers.grant_keeper import GrantKeeper
from consumers.lane import LaneLimits
from consumers.memory_store import MemoryStore
from consumers.ports import Stale
from consumers.quarantine import State
from consumers.redriving import Redriver, Selection
from schemas.errors import DependencyUnavailable
from schemas.record import Record
from tests.builders import CONFERENCES, CONVERSATIONS, FILE, TOPIC_STREAMS, reference
from tests.contract.store_contract import batch_of
from tests.property.histories import arrivals, several
from tests.property.test_invariants import contents
from tests.support.clock import ManualClock
from tests.support.faulty import Fault, FaultyQuarantine, When
from tests.support.trust import GRANT, ReadyAuthority

faults = st.lists(
    st.none()
    | st.builds(Fault, st.builds(DependencyUnavailable, st.just("down")), st.sampled_from(When))
    | st.builds(Fault, st.builds(Stale, st.just("raced"))),
    max_size=5,
)
"""What may go wrong with redrives, one entry each; fewer in a row than a batch is tried."""


@st.composite
def damages(draw: st.DrawFn) -> list[tuple[Record, Record]]:
    """Records as they should have come, in any order and some twice, each with what came instead."""
    found = draw(several.flatmap(arrivals))
    harmed = st.sampled_from(["value", "key", "headers", None, None])
    return [(one, _harmed(one, draw(harmed))) for one in found]


def _harmed(record: Record, where: str | None) -> Record:
    broken: dict[str, Any] = {"value": b"{", "key": b"another", "headers": ()}
    return record if where is None else record._replace(**{where: broken[where]})


async def _archived(store: MemoryStore, records: list[Record]) -> None:
    store.contents.put(FILE)
    await store.contents.inspect([Claim(reference().sha256, reference().size)])
    for lane in (CONVERSATIONS, CONFERENCES):
        of_lane = [one for one in records if one.topic == lane.topic]
        if of_lane:
            await store.commit(GRANT, await batch_of(store, of_lane, lane, files=ContentState.STORED))


@settings(max_examples=100, deadline=None)
@given(damages(), faults, st.integers(1, 5))
async def test_a_redrive_makes_up_for_damage(
    damaged: list[tuple[Record, Record]], script: list[Fault | None], batch: int
) -> None:
    """What was damaged and redriven with the right bytes leaves the archive, and its counts, as if it had come whole.

    Planted: a duplicate told by its place instead of by itself; a batch of unknown outcome committed again as read,
    or not counted; a lane's counts that stay.
    """
    clean, store = FaultyQuarantine(ManualClock()), FaultyQuarantine(ManualClock(), script)
    await _archived(clean, [good for good, _ in damaged])
    await _archived(store, [bad for _, bad in damaged])
    good_at: dict[str, Record] = {}
    for lane in (CONVERSATIONS, CONFERENCES):
        of_lane = [good for good, _ in damaged if good.topic == lane.topic]
        good_at |= {f"{lane}/{offset}": good for offset, good in enumerate(of_lane)}
    grants = GrantKeeper(ReadyAuthority(), store.clock)
    redriver = Redriver(store, store.contents, grants, store.clock, TOPIC_STREAMS, LaneLimits(batch_records=batch))
    run = asyncio.ensure_future(redriver.run(Selection(), good_at))
    await store.clock.advance_through(run)
    tally = await run

    assert {entry.state for entry in store.entries()} <= {State.REDRIVEN}
    assert tally.archived + tally.duplicate == len(store.entries()) == tally.replaced
    assert {lane: point.counts for lane, point in store.checkpoints().items()} == {
        lane: point.counts for lane, point in clean.checkpoints().items()
    }
    ours, theirs = contents(store, sources=False), contents(clean, sources=False)
    for name in ("conversations", "events", "items", "mailboxes"):
        assert ours[name] == theirs[name]
