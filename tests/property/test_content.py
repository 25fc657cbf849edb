"""Files that are there, missing, wrong and too large, in any order: all is counted, and a redrive heals all."""

import asyncio
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.batch import Checkpoint, Counts
from consumers.content import ContentState, claims
from consumers.fold import fold, recalls
from consumers.grant_keeper import GrantKeeper
from consumers.lane import LaneLimits
from consumers.memory_content import MemoryContent
from consumers.memory_quarantine import MemoryQuarantine
from consumers.quarantine import State
from consumers.redriving import Redriver, Selection
from schemas.envelope import Event
from schemas.record import Record
from tests.builders import (
    ALICE,
    CONFERENCES,
    TOPIC_STREAMS,
    activated,
    adjourned,
    decoded,
    drawn,
    entered,
    history,
    reference,
    said,
    uploaded,
)
from tests.support.clock import ManualClock
from tests.support.trust import GRANT, ReadyAuthority, trusting

EXAMPLES = settings(max_examples=60, deadline=None)
FILES = (b"one", b"two", b"three", b"a file too large for an item")
ITEM_BYTES_MAX = 10
"""The last of the files is beyond it at first."""

conditions = st.lists(st.sampled_from(["there", "absent", "wrong"]), min_size=len(FILES), max_size=len(FILES))


@st.composite
def meetings(draw: st.DrawFn) -> list[Record]:
    """Up to two meetings in which files are shared, all records in any order, some of them twice."""
    records = []
    for name in draw(st.sampled_from([["m1"], ["m1", "m2"]])):
        shared = draw(st.lists(st.sampled_from([*FILES, None]), max_size=5))
        steps = [
            said(conversation=name)
            if data is None
            else draw(st.sampled_from([uploaded, drawn]))(reference(data), conversation=name)
            for data in shared
        ]
        records += history(activated(name), entered(ALICE, name), *steps, adjourned(1, name))
    again = draw(st.lists(st.sampled_from(records), max_size=4))
    return draw(st.permutations([*records, *again]))


def filled(condition: Iterable[str]) -> MemoryQuarantine:
    """Return an empty archive whose files are in these conditions."""
    clock = ManualClock()
    contents = MemoryContent(clock, ITEM_BYTES_MAX)
    for data, state in zip(FILES, condition, strict=True):
        if state == "there":
            contents.put(data)
        elif state == "wrong":
            contents.put(b"x" * len(data), reference(data).sha256)
    return MemoryQuarantine(clock, trusting(), contents)


async def archive(store: MemoryQuarantine, records: list[Record], size: int) -> None:
    for start in range(0, len(records), size):
        checkpoint = await store.checkpoint(CONFERENCES) or Checkpoint(CONFERENCES, 0)
        run = decoded(records[start : start + size], checkpoint.next)
        known = await store.load({one.event.data.conversation for one in run if isinstance(one.event, Event)})
        recalled = await store.recall(recalls(run, known))
        await store.commit(GRANT, fold(checkpoint, run, known, recalled, await store.contents.inspect(claims(run))))


async def redriven(store: MemoryQuarantine, batch: int) -> None:
    clock = ManualClock()
    grants = GrantKeeper(ReadyAuthority(), clock)
    redriver = Redriver(store, store.contents, grants, clock, TOPIC_STREAMS, LaneLimits(batch_records=batch))
    task = asyncio.ensure_future(redriver.run(Selection()))
    await clock.advance_through(task)
    await task


def counts(store: MemoryQuarantine) -> Counts:
    return store.checkpoints()[CONFERENCES].counts


def shown(store: MemoryQuarantine) -> dict[str, Any]:
    """Return what mailboxes show, and the state of every file."""
    return {
        "items": store.items(),
        "events": {name: store.events(name) for name in store.conversations()},
        "attachments": store.attachments(),
    }


@EXAMPLES
@given(meetings(), conditions, conditions, st.integers(1, 4), st.integers(1, 4))
async def test_every_record_is_counted_and_a_redrive_heals(
    records: list[Record],
    before: list[str],
    after: list[str],
    size: int,
    batch: int,
) -> None:
    """Counts add up at every moment, stubs are as many as their records in quarantine, and in the end all is archived.

    Planted: a stub counts as archived; a healed attachment keeps its state; a redrive calls it a duplicate.
    """
    store = filled(before)
    await archive(store, records, size)
    for condition in (after, ["there"] * len(FILES)):
        for data, state in zip(FILES, condition, strict=True):
            if state == "there":
                store.contents.put(data)
        stubs = [one for one in store.attachments() if one.state is not ContentState.STORED]
        assert counts(store).total == len(records)
        assert counts(store).quarantined == len(stubs) == sum(e.state is State.QUARANTINED for e in store.entries())
        await redriven(store, batch)
    store.contents.item_bytes_max = 100
    await redriven(store, batch)
    assert counts(store).quarantined == 0
    assert counts(store).archived == sum(len(store.events(name)) for name in store.conversations())

    clean = filled(["there"] * len(FILES))
    clean.contents.item_bytes_max = 100
    await archive(clean, records, len(records))
    assert shown(store) == shown(clean)
    assert counts(store) == counts(clean)
