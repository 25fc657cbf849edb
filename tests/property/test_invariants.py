"""The five invariants, over generated histories. Each docstring names the planted bug that the test has caught."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers import visibility
from consumers.batch import Checkpoint, LaneId
from consumers.content import claims
from consumers.entry import entry_of
from consumers.fold import fold, recalls
from consumers.item import Item
from consumers.lane import LaneLimits
from consumers.memory_store import MemoryStore
from consumers.ports import Fenced, Stale
from consumers.transcript import lines
from schemas.envelope import Event, decode
from schemas.errors import DependencyUnavailable
from schemas.record import Record
from tests.builders import CONFERENCES, CONVERSATIONS, FILE, decoded
from tests.property.histories import History, arrivals, by_phone, conferences, several, streams
from tests.property.presence import presence
from tests.support.clock import ManualClock
from tests.support.faulty import Fault, When
from tests.support.lanes import Surroundings, archived, running, surroundings
from tests.support.trust import GRANT, trusting

EXAMPLES = settings(max_examples=100, deadline=None)

faults = st.lists(
    st.none()
    | st.builds(Fault, st.builds(DependencyUnavailable, st.just("down")), st.sampled_from(When))
    | st.builds(Fault, st.builds(Fenced, st.just("raced")) | st.builds(Stale, st.just("raced"))),
    max_size=6,
)
"""What may go wrong with commits, one entry each."""

sizes = st.lists(st.integers(1, 8), min_size=1, max_size=40)
"""How many records each batch takes; the last size goes on."""


async def stored(
    records: Iterable[Record], batches: Iterable[int] = (1000,), files: Iterable[bytes] = (FILE,)
) -> MemoryStore:
    """Archive records, of either lane, in batches of these sizes, with these files in the content store."""
    store = MemoryStore(ManualClock(), trusting())
    for file in files:
        store.contents.put(file)
    rest, cuts, size = list(records), iter(batches), 1
    while rest:
        size = next(cuts, size)
        run, rest = rest[:size], rest[size:]
        for lane in (CONVERSATIONS, CONFERENCES):
            of_lane = [record for record in run if record.topic == lane.topic]
            checkpoint = await store.checkpoint(lane) or Checkpoint(lane, 0)
            if of_lane:
                batch = decoded(of_lane, checkpoint.next)
                known = await store.load({one.event.data.conversation for one in batch if isinstance(one.event, Event)})
                there = await store.contents.inspect(claims(batch))
                recalled = await store.recall(recalls(batch, known))
                await store.commit(GRANT, fold(checkpoint, batch, known, recalled, there))
    return store


def placed(around: Surroundings) -> Surroundings:
    """Give the archive the file that conferences refer to."""
    around.memory.contents.put(FILE)
    return around


def contents(store: MemoryStore, *, sources: bool) -> dict[str, Any]:
    """Return everything stored that must not depend on how events came: all but revisions, segments and hashes."""
    names = store.conversations()
    return {
        "conversations": {
            name: found._replace(revision=0, segments=0, head=b"") for name, found in store.conversations().items()
        },
        "events": {name: [one if sources else one._replace(source="") for one in store.events(name)] for name in names},
        "items": store.items(),
        "mailboxes": store.mailboxes(),
        "watermarks": {lane: point.watermark for lane, point in store.checkpoints().items()},
        "quarantine": store.quarantine(),
    }


def shown(item: Item, store: MemoryStore) -> list[int]:
    """Return the sequences that the item shows, as often as it shows them."""
    return [
        event.sequence
        for event in store.events(item.conversation)
        for first, last in item.visible
        if first <= event.sequence and (last is None or event.sequence <= last) and visibility.shown(item, event)
    ]


async def archive_by_two(around: Surroundings, lane: LaneId) -> None:
    """Let two processes archive one lane at once, each unaware of the other."""
    other = replace(around, source=around.source.copy())
    async with running(around, lane), running(other, lane):
        await archived(around, lane)


def assert_conserved(store: MemoryStore, lane: LaneId, records: Mapping[LaneId, list[Record]]) -> None:
    counts = store.checkpoints()[lane].counts
    assert counts.total == len(records[lane])
    assert counts.quarantined == sum(entry.record.topic == lane.topic for entry in store.quarantine())
    of_lane = {record.key.decode() for record in records[lane] if record.key}
    assert counts.archived == sum(len(store.events(name)) for name in of_lane)


@EXAMPLES
@given(streams(), st.integers(1, 7), faults)
async def test_i1_every_record_is_archived_or_known_or_quarantined(
    records: dict[LaneId, list[Record]], batch_records: int, script: list[Fault | None]
) -> None:
    """I1: all read is accounted for, and really there. Planted: an illegal record is skipped, not quarantined."""
    for lane in filter(records.get, records):
        around = placed(surroundings(records, script, LaneLimits(batch_records=batch_records)))
        async with running(around, lane):
            await archived(around, lane)
        assert around.end(lane) == len(records[lane])
        assert_conserved(around.memory, lane, records)
        assert {entry.record for entry in around.memory.quarantine()} <= set(records[lane])


@EXAMPLES
@given(streams(), st.integers(1, 4), faults)
async def test_i2_nothing_is_there_twice(
    records: dict[LaneId, list[Record]], batch_records: int, script: list[Fault | None]
) -> None:
    """I2: a mailbox has each sequence of a conversation once.

    Planted: an item's id is made anew with every write; a join of somebody present begins another stay.
    """
    lane = CONVERSATIONS
    if not records[lane]:
        return
    around = placed(surroundings(records, script, LaneLimits(batch_records=batch_records)))
    async with running(around, lane):
        await archived(around, lane)
    store = around.memory
    pairs = [(item.mailbox, item.conversation) for item in store.items()]
    assert len(set(pairs)) == len(pairs)
    for item in store.items():
        sequences = shown(item, store)
        assert len(set(sequences)) == len(sequences)


@EXAMPLES
@given(st.data(), several, sizes)
async def test_i3_batches_and_redelivery_change_nothing(
    data: st.DataObject, found: tuple[History, ...], cuts: list[int]
) -> None:
    """I3: the same records in other batches, some again, leave the same.

    Planted: the first message is the first of the latest batch.
    """
    records = [record for history in found for record in history]
    again = list(records)
    for record in data.draw(st.lists(st.sampled_from(records), max_size=6)):
        behind = data.draw(st.integers(again.index(record) + 1, len(again)))
        again.insert(behind, data.draw(st.sampled_from([record, by_phone(record)])))
    assert contents(await stored(again, cuts), sources=True) == contents(await stored(records), sources=True)


@EXAMPLES
@given(st.data(), several, sizes)
async def test_i3_arrival_changes_nothing(data: st.DataObject, found: tuple[History, ...], cuts: list[int]) -> None:
    """I3: legal histories leave the same in any order of arrival.

    Planted: moves are kept in order of arrival; an origin is the one of the latest arrival; what did not reach whom is
    in order of arrival; a failure touches nobody; a name is the one of the least sequence, a mailbox's of the least
    time.
    Which of several devices an event is from is the first report's to say, and the only thing that may differ.
    """
    records = [record for history in found for record in history]
    shuffled = data.draw(arrivals(found))
    assert contents(await stored(shuffled, cuts), sources=False) == contents(await stored(records), sources=False)


@EXAMPLES
@given(streams(), st.integers(1, 4), faults)
async def test_i4_the_checkpoint_never_falls(
    records: dict[LaneId, list[Record]], batch_records: int, script: list[Fault | None]
) -> None:
    """I4: with two processes on one lane commits go on from each other. Planted: a store without its fence."""
    for lane in filter(records.get, records):
        around = placed(surroundings(records, script, LaneLimits(batch_records=batch_records)))
        await archive_by_two(around, lane)
        ends = [0, *around.store.ends]
        assert ends == sorted(set(ends))
        assert ends[-1] == len(records[lane])
        assert_conserved(around.memory, lane, records)


@EXAMPLES
@given(st.data(), several, sizes)
async def test_i5_a_mailbox_holds_what_its_owner_was_present_for(
    data: st.DataObject, found: tuple[History, ...], cuts: list[int]
) -> None:
    """I5: no more and no less than the plain rule says. Planted: who left sees on; the invited count as present."""
    assert_shown(await stored(data.draw(arrivals(found)), cuts), found)


@EXAMPLES
@given(st.data(), conferences(), sizes)
async def test_i5_a_conference_shows_what_is_for_its_reader(
    data: st.DataObject, found: History, cuts: list[int]
) -> None:
    """I5: no more and no less than the plain rule says, whatever a meeting leaves behind.

    Planted: who is ejected sees on; attendees see what is for presenters, or the lobby; a change of role is nothing, or
    ends a stay; a coming keeps the role of the one before; a message that did not reach somebody is shown; so is that
    it did not, to all; what did not reach somebody who comes later is forgotten; outsiders have items.
    """
    assert_shown(await stored(data.draw(arrivals((found,))), cuts), (found,))


def assert_shown(store: MemoryStore, found: tuple[History, ...]) -> None:
    """Every mailbox shows of the histories what the plain rule says, as sequences and as lines."""
    expected = {
        (person, decode(history[0], None).data.conversation): sequences
        for history in found
        for person, sequences in presence(history).items()
    }
    assert {(item.mailbox, item.conversation): set(shown(item, store)) for item in store.items()} == expected
    for item in store.items():
        events = store.events(item.conversation)
        readable = {event.sequence for event in events if entry_of(event) is not None}
        found_lines = {line.sequence for line in lines(item, events)}
        assert found_lines == readable & expected[item.mailbox, item.conversation]
    assert store.mailboxes().keys() == {person for person, _ in expected}
