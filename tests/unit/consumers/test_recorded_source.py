"""A recording as the source of lanes: their places, and that every lane gets its own records, once and in order."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

import consumers.recorded_source as module
from consumers.archiver import Archiver
from consumers.batch import LaneId
from consumers.ports import RecordsGone
from consumers.recorded_lanes import OFFSET_MAX, RecordedLanes
from consumers.recorded_source import RecordedSource
from schemas.errors import Misconfigured
from schemas.record import Record
from tests.builders import CONFERENCES, CONVERSATIONS, activated, ended, entered, history, message, person, started
from tests.support.clock import ManualClock
from tests.support.lanes import surroundings
from tests.support.waiting import await_until

TOPICS = (CONVERSATIONS.topic, CONFERENCES.topic)
TALK = history(started(), message(), message(), ended())
MEETING = history(activated(), entered(person("alice")))
"""Made for the conversations' lane; `at` puts records where a test wants them."""


def at(records: Sequence[Record], lane: LaneId, *offsets: int) -> list[Record]:
    return [
        record._replace(topic=lane.topic, partition=lane.partition, offset=offset)
        for record, offset in zip(records, offsets, strict=True)
    ]


def learnt(records: Sequence[Record]) -> RecordedLanes:
    lanes = RecordedLanes(TOPICS)
    for record in records:
        lanes.add(record)
    return lanes


@asynccontextmanager
async def opened(
    records: Sequence[Record], read: Iterable[Record] | None = None, clock: ManualClock | None = None
) -> AsyncIterator[RecordedSource]:
    """Open a source that learnt `records`, and then reads `read`."""

    async def assigned(lanes: Sequence[LaneId]) -> None:
        assert list(lanes) == sorted(learnt(records).lanes)

    source = RecordedSource(
        lambda: iter(records if read is None else read), learnt(records).lanes, clock or ManualClock()
    )
    source.join(assigned, assigned)
    try:
        yield source
    finally:
        await source.close()


async def fetched(source: RecordedSource, lane: LaneId, count: int) -> list[int]:
    """Return the offsets of the lane's next records."""
    found: list[int] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            found += [record.offset for record in await source.fetch(lane, count - len(found))]
    return found


@pytest.mark.parametrize(
    ("offsets", "bounds", "numbered"),
    [
        ((0, 1, 2, 3), (0, 4), False),
        ((7, 8, 20, 21), (7, 22), False),
        ((-1, -1, -1, -1), (0, 4), True),
        ((0, 1, 1, 2), (0, 4), True),
        ((0, 1, -1, 2), (0, 4), True),
        ((3, 2, 1, 0), (0, 4), True),
        ((0, 1, 2, OFFSET_MAX), (0, 4), True),
    ],
)
async def test_places(offsets: tuple[int, ...], bounds: tuple[int, int], numbered: bool) -> None:
    """Offsets that rise are kept, holes and all; others give way to the lane's own numbers."""
    records = at(TALK, CONVERSATIONS, *offsets)
    assert learnt(records).lanes[CONVERSATIONS].bounds == bounds
    async with opened(records) as source:
        assert await fetched(source, CONVERSATIONS, 4) == list(range(4) if numbered else offsets)
        assert await source.bounds(CONVERSATIONS) == bounds
        assert await source.position(CONVERSATIONS) == bounds[1]


def test_other_topics_are_counted() -> None:
    """Records of topics that are not archived have no lane."""
    lanes = learnt([*TALK, TALK[0]._replace(topic="lync.contacts")])
    assert (list(lanes.lanes), lanes.others) == ([CONVERSATIONS], 1)


def test_too_many_lanes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording of more partitions than there are in earnest fills no memory."""
    monkeypatch.setattr("consumers.recorded_lanes.LANES_MAX", 2)
    with pytest.raises(Misconfigured, match="more than 2 partitions"):
        learnt([TALK[0]._replace(partition=number) for number in range(3)])


async def test_a_lane_goes_back_to_what_is_not_marked() -> None:
    """What was fetched and not marked comes again after a seek; what was marked is gone."""
    async with opened(at(TALK, CONVERSATIONS, 0, 1, 5, 6)) as source:
        assert await fetched(source, CONVERSATIONS, 3) == [0, 1, 5]
        source.mark(CONVERSATIONS, 2)
        source.seek(CONVERSATIONS, 2)
        assert await fetched(source, CONVERSATIONS, 2) == [5, 6]
        with pytest.raises(RecordsGone):
            source.seek(CONVERSATIONS, 1)


async def test_a_lane_begins_in_the_middle() -> None:
    """What lies before the checkpoint is passed over, whether it was read before the seek or not."""
    records = at(TALK, CONVERSATIONS, 0, 1, 2, 3)
    async with opened(records) as source:
        source.seek(CONVERSATIONS, 2)
        assert await fetched(source, CONVERSATIONS, 2) == [2, 3]
    async with opened(records) as source:
        assert await fetched(source, CONVERSATIONS, 1) == [0]
        source.seek(CONVERSATIONS, 3)
        assert await fetched(source, CONVERSATIONS, 1) == [3]


async def test_one_lane_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading waits for a lane whose records are ahead, and goes on once it takes them."""
    monkeypatch.setattr(module, "AHEAD_RECORDS", 2)
    monkeypatch.setattr(module, "READ_RECORDS", 1)
    read = 0

    def counted(records: Sequence[Record]) -> Iterator[Record]:
        nonlocal read
        for record in records:
            read += 1
            yield record

    records = [*at(TALK, CONVERSATIONS, 0, 1, 2, 3), *at(MEETING, CONFERENCES, 0, 1)]
    clock = ManualClock()
    async with opened(records, counted(records), clock) as source:
        await await_until(lambda: read == 2, limit_s=10)
        waiting = asyncio.ensure_future(source.fetch(CONFERENCES, 1))
        await clock.advance_through(waiting)
        assert (await waiting, read) == ([], 2)
        assert await fetched(source, CONVERSATIONS, 4) == [0, 1, 2, 3]
        assert await fetched(source, CONFERENCES, 2) == [0, 1]


@pytest.mark.parametrize("read", [TALK[:-1], []])
async def test_a_recording_that_changed_is_refused(read: list[Record]) -> None:
    """What was read is handed out; then the lane is told."""
    async with opened(TALK, read) as source:
        assert len(await fetched(source, CONVERSATIONS, len(read))) == len(read)
        with pytest.raises(Misconfigured, match="not the one"):
            await source.fetch(CONVERSATIONS, 1)


async def test_nothing_comes_behind_the_end() -> None:
    """At the end of the recording a fetch waits a while and brings nothing."""
    clock = ManualClock()
    async with opened(TALK, clock=clock) as source:
        await fetched(source, CONVERSATIONS, len(TALK))
        last = asyncio.ensure_future(source.fetch(CONVERSATIONS, 1))
        await clock.advance_through(last)
        assert await last == []
        await source.publish_marks()


@pytest.mark.parametrize("batch", [1, 3, 100])
async def test_lanes_archive_a_recording(batch: int) -> None:
    """An archiver with this source ends at the recording's end; what it read is what is stored."""
    records = [*at(TALK, CONVERSATIONS, 3, 4, 9, 11), *at(MEETING, CONFERENCES._replace(partition=-1), -1, -1)]
    around = surroundings([])
    parts = replace(around.parts, limits=replace(around.limits, batch_records=batch))
    async with asyncio.timeout(10):
        source = RecordedSource(lambda: iter(records), learnt(records).lanes, around.clock)
        archiver = Archiver(replace(parts, source=source), source, 1.0)
        running = asyncio.ensure_future(archiver.run(asyncio.Event(), until_caught_up=True))
        await around.clock.advance_through(running)
        await running
        await source.close()
    ends = {lane: (point.next, point.counts.archived) for lane, point in around.memory.checkpoints().items()}
    assert ends == {CONVERSATIONS: (12, 4), CONFERENCES._replace(partition=-1): (2, 2)}


async def test_what_a_recording_grew_by_reaches_no_lane() -> None:
    """All lanes may be where the recording ended before the rest is read; they get none of it, and it is told."""
    more = at([TALK[0]], CONVERSATIONS, 4)
    async with opened(at(TALK, CONVERSATIONS, 0, 1, 2, 3), [*at(TALK, CONVERSATIONS, 0, 1, 2, 3), *more]) as source:
        assert await fetched(source, CONVERSATIONS, 4) == [0, 1, 2, 3]
        with pytest.raises(Misconfigured, match="not the one"):
            await source.fetch(CONVERSATIONS, 1)
        with pytest.raises(Misconfigured, match="not the one"):
            await source.finish()


async def test_a_recording_that_did_not_change_is_read_to_its_end() -> None:
    """Whoever waits for the end does not miss what is found there."""
    async with opened(TALK) as source:
        assert await fetched(source, CONVERSATIONS, len(TALK)) == list(range(len(TALK)))
        await source.finish()
