"""What a lane does where the log does not go on at its checkpoint: markers are passed, lost records never."""

import asyncio
from collections.abc import Sequence

import pytest

from consumers.batch import LaneId
from consumers.lane import Lane, LaneLimits
from consumers.missing import missing, skip_order
from consumers.ports import RecordsGone, TopicMadeAgain
from consumers.quarantine_rate import QuarantineOverflow, RateLimit
from schemas.record import Record
from tests.builders import CONVERSATIONS, broken, ended, history, laid, message, started
from tests.support.lanes import Surroundings, archived, running, surroundings
from tests.support.source import MemorySource
from tests.support.trust import GRANT
from tests.support.waiting import await_until

TALK = history(started(), message(), message(), ended())


class MarkedSource(MemorySource):
    """A log whose own markers lie behind its last record."""

    async def position(self, lane: LaneId) -> int:
        return self.end(lane) + 2


class SkippingSource(MemorySource):
    """A log that lost its first records while they were waited for, as a client sees it that begins elsewhere."""

    async def bounds(self, lane: LaneId) -> tuple[int, int]:
        return (0, 4) if self.fetches == 0 else (2, 4)

    def seek(self, lane: LaneId, offset: int) -> None:
        super().seek(lane, 2)


class ForgetfulSource(MemorySource):
    """A client that is behind records which it has not handed out, as a fetch that is given up may leave it."""

    async def fetch(self, lane: LaneId, records_max: int) -> Sequence[Record]:
        await super().fetch(lane, records_max)
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")


async def archived_before(records: list[Record]) -> Surroundings:
    """Return surroundings in which these records are archived."""
    around = surroundings(records)
    async with running(around):
        await archived(around)
    return around


async def test_markers_are_passed() -> None:
    """The checkpoint moves past offsets that hold no record, and counts none for them."""
    around = surroundings(TALK)
    around.source = MarkedSource({CONVERSATIONS: TALK})
    async with running(around):
        await await_until(lambda: around.end(CONVERSATIONS) == len(TALK) + 2, limit_s=10)
    assert around.memory.checkpoints()[CONVERSATIONS].counts.total == len(TALK)


async def test_records_of_a_fetch_that_was_given_up_are_no_markers() -> None:
    """A lane that is told to stop while it fetches passes nothing, wherever the client's position is by then."""
    around = surroundings(TALK)
    around.source = ForgetfulSource({CONVERSATIONS: TALK})
    async with running(around):
        await await_until(lambda: around.source.fetches == 1, limit_s=10)
    assert await around.source.position(CONVERSATIONS) == len(TALK)
    assert around.memory.checkpoints() == {}


async def test_passing_markers_is_a_commit_like_any_other() -> None:
    """A lane that is cut off while it passes markers has passed them all the same."""
    around = await archived_before(TALK)
    around.source = MarkedSource({CONVERSATIONS: TALK})
    around.store.gate.clear()
    around.store.entered.clear()
    task = asyncio.create_task(Lane(CONVERSATIONS, around.parts).run())
    await around.store.entered.wait()
    task.cancel()
    around.store.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert around.end(CONVERSATIONS) == len(TALK) + 2


@pytest.mark.parametrize("first", [100, 5])
async def test_records_that_expired_are_not_skipped(first: int) -> None:
    """A lane whose next records are gone stops, says what is missing, and leaves its checkpoint."""
    around = await archived_before(TALK)
    around.source = MemorySource({CONVERSATIONS: laid(TALK, first=first)})
    with pytest.raises(RecordsGone, match=f"up to offset 4, but Kafka holds {first} to {first + 4}"):
        await Lane(CONVERSATIONS, around.parts).run()
    assert around.end(CONVERSATIONS) == 4


async def test_a_topic_made_again_is_not_archived_from_its_start() -> None:
    """A log that ends below the checkpoint is another one: the checkpoint never falls."""
    around = await archived_before(TALK)
    around.source = MemorySource({CONVERSATIONS: TALK[:2]})
    with pytest.raises(RecordsGone, match="up to offset 4, but Kafka holds 0 to 2"):
        await Lane(CONVERSATIONS, around.parts).run()
    assert around.end(CONVERSATIONS) == 4


async def test_records_that_expire_on_the_way_are_not_skipped() -> None:
    """Where the client begins elsewhere, unasked, the lane does not take what it brings."""
    around = surroundings(TALK)
    around.source = SkippingSource({CONVERSATIONS: TALK})
    with pytest.raises(RecordsGone, match="up to offset 0, but Kafka holds 2 to 4"):
        await Lane(CONVERSATIONS, around.parts).run()
    assert around.memory.checkpoints() == {}


class RemadeSource(MemorySource):
    """A topic that is made again, with the same records, after some were read from it."""

    async def fetch(self, lane: LaneId, records_max: int) -> Sequence[Record]:
        found = await super().fetch(lane, records_max)
        self.topic = "another"
        return found


async def test_a_topic_that_grew_past_the_checkpoint_is_known_by_its_id() -> None:
    """Offsets say nothing: a topic that was made again has another id, and the lane refuses it by name."""
    around = await archived_before(TALK[:2])
    around.source = MemorySource({CONVERSATIONS: TALK})
    around.source.topic = "another"
    with pytest.raises(TopicMadeAgain, match="the topic was made again"):
        await Lane(CONVERSATIONS, around.parts).run()
    assert around.end(CONVERSATIONS) == 2


async def test_records_of_a_topic_that_was_made_again_meanwhile_are_not_archived() -> None:
    """The id is asked after the records were fetched and before they are committed."""
    around = await archived_before(TALK[:2])
    around.source = RemadeSource({CONVERSATIONS: TALK})
    lane = asyncio.ensure_future(Lane(CONVERSATIONS, around.parts).run())
    await around.clock.advance_through(lane)
    with pytest.raises(TopicMadeAgain, match="the topic was made again"):
        await lane
    assert around.end(CONVERSATIONS) == 2


async def test_a_lane_goes_on_after_an_order() -> None:
    """What was given up is counted nowhere; what is there is archived."""
    around = await archived_before(TALK[:2])
    around.source = MemorySource({CONVERSATIONS: TALK})
    around.source.topic = "another"
    checkpoint = around.memory.checkpoints()[CONVERSATIONS]
    await around.memory.skip(GRANT, skip_order(missing(checkpoint, "another", 0, 4), 0, "why"))
    async with running(around):
        await archived(around)
    counts = around.memory.checkpoints()[CONVERSATIONS].counts
    assert (counts.archived, counts.duplicate) == (4, 2)


@pytest.mark.parametrize("batch", [1, 4, 100])
async def test_a_lane_stops_rather_than_fill_the_quarantine(batch: int) -> None:
    """Nothing of the batch that breaks the limit is written, and it is broken at the same record by any batches."""
    around = surroundings(
        laid([*TALK, *[broken()] * 20]), limits=LaneLimits(batch_records=batch, quarantine=RateLimit(0.5, 10))
    )
    with pytest.raises(QuarantineOverflow, match=r"6 of the last 10 records cannot be archived, .* offset 9;"):
        await Lane(CONVERSATIONS, around.parts).run()
    assert around.end(CONVERSATIONS) == {1: 9, 4: 8, 100: -1}[batch]
    assert len(around.memory.quarantine()) == {1: 5, 4: 4, 100: 0}[batch]


async def test_a_raised_limit_lets_the_lane_go_on() -> None:
    """The operator decides: with 1.0 everything goes to quarantine."""
    around = surroundings(laid([*TALK, *[broken()] * 20]), limits=LaneLimits(quarantine=RateLimit(1.0, 10)))
    async with running(around):
        await archived(around)
    assert len(around.memory.quarantine()) == 20
