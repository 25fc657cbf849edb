"""One lane, from records to the store, through everything that can go wrong on the way."""

import asyncio
from dataclasses import replace

import pytest

from consumers.batch import ZERO, Counts
from consumers.content import ContentState
from consumers.grant import GrantRefused
from consumers.lane import BACKOFF_S_MAX, RETRY_S, Lane, LaneLimits
from consumers.ports import Fenced, Stale
from schemas.errors import DependencyUnavailable
from schemas.record import Record
from tests.builders import (
    ALICE,
    BOB,
    CONFERENCES,
    CONVERSATIONS,
    activated,
    broken,
    ended,
    entered,
    history,
    laid,
    left,
    message,
    reference,
    started,
    uploaded,
)
from tests.support.faulty import AbsentContent, Fault, When
from tests.support.lanes import Surroundings, archived, running, surroundings
from tests.support.trust import GRANT

TALK = history(started(), *(message(ALICE, f"message {number}") for number in range(1, 8)), left(BOB), ended())
BY_TWOS = LaneLimits(batch_records=2)


async def other_lane_commits(around: Surroundings, records: list[Record]) -> None:
    """Let another process archive these records of the same lane."""
    other = replace(surroundings(records), memory=around.memory, store=surroundings([]).store)
    other.store = type(other.store)(around.memory)
    async with running(other):
        await archived(other)


def assert_one_copy(around: Surroundings, records: int = len(TALK)) -> None:
    """The conversation is whole, once, and every record is counted."""
    assert [event.sequence for event in around.memory.events("c1")] == list(range(1, 11))
    assert around.memory.conversations()["c1"].complete
    assert [item.mailbox for item in around.memory.items()] == [ALICE.sip, BOB.sip]
    checkpoint = around.memory.checkpoints()[CONVERSATIONS]
    assert (checkpoint.next, checkpoint.counts.total, checkpoint.counts.archived) == (records, records, 10)


async def test_batches_are_committed_in_order() -> None:
    """Each batch starts where the one before ended, from the oldest record on, and the position follows."""
    records = laid(TALK, first=40)
    around = surroundings(records, limits=BY_TWOS)
    async with running(around) as lane:
        await archived(around)
    assert [(batch.start, batch.end) for batch in around.observer.batches] == [
        (40, 42),
        (42, 44),
        (44, 46),
        (46, 48),
        (48, 50),
    ]
    assert around.memory.conversations()["c1"].revision == 5
    assert lane.position == around.memory.checkpoints()[CONVERSATIONS]
    assert around.source.marks == {CONVERSATIONS: 50}
    assert around.observer.delays == []


async def test_a_lane_goes_on_with_what_comes_later() -> None:
    """Out of records, a lane waits, and takes up what is produced then."""
    around = surroundings(TALK[:4])
    async with running(around):
        await archived(around)
        around.source.append(CONVERSATIONS, *TALK[4:])
        await archived(around)
    assert_one_copy(around)


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("failing", [0, 1, 2, 4])
async def test_a_failure_leaves_exactly_one_copy(when: When, failing: int) -> None:
    """Whether a commit failed or only its answer was lost, the records are archived once."""
    down = Fault(DependencyUnavailable("no primary"), when)
    around = surroundings(TALK, [*[None] * failing, down, down], BY_TWOS)
    async with running(around):
        await archived(around)
    assert 1 <= len(around.observer.delays) <= 2
    assert_one_copy(around)


async def test_pauses_double_up_to_a_limit_and_start_over_after_a_commit() -> None:
    """A store that stays away is asked ever more rarely; one commit later it is asked soon again."""
    down = Fault(DependencyUnavailable("no primary", retry_after_s=1))
    around = surroundings(TALK[:4], [*[down] * 7, None, None, down], BY_TWOS)
    pauses = []
    async with running(around):
        for _ in range(7):
            pauses.append(await around.clock.asleep())
            around.clock.advance(pauses[-1])
        await around.observer.until(lambda: around.observer.end(CONVERSATIONS) == 4)
        around.source.append(CONVERSATIONS, *TALK[4:])
        pauses.append(await around.clock.asleep())
    assert pauses == [1, 2, 4, 8, 16, BACKOFF_S_MAX, BACKOFF_S_MAX, 1]


@pytest.mark.parametrize("lost", [Fenced("elsewhere"), Stale("elsewhere")])
async def test_after_losing_a_race_a_lane_begins_at_the_checkpoint(lost: Exception) -> None:
    """Fenced or Stale, the lane forgets what it knows and resumes from what the store says."""
    around = surroundings(TALK, [None, Fault(lost)], BY_TWOS)
    async with running(around):
        await around.observer.until(lambda: around.observer.delays == [lost])
        assert await around.clock.asleep() == RETRY_S
        await archived(around)
    assert around.store.resumed == 2
    assert_one_copy(around)


async def test_a_lane_that_was_overtaken_goes_on_behind_the_other() -> None:
    """Where another process archived the same records meanwhile, nothing is there or counted twice."""
    around = surroundings(TALK, limits=BY_TWOS)
    around.store.gate.clear()
    async with running(around):
        await around.store.entered.wait()
        await other_lane_commits(around, TALK[:6])
        around.store.gate.set()
        await archived(around)
    assert isinstance(around.observer.delays[0], Fenced)
    assert [batch.start for batch in around.observer.batches] == [6, 8]
    assert_one_copy(around)


async def test_another_lane_that_moves_a_conversation_makes_a_lane_stale() -> None:
    """A conversation that two lanes hold is never overwritten: the later commit is Stale, and made anew."""
    around = surroundings(TALK[:4])
    await other_lane_commits(around, TALK[:1])
    elsewhere = around.memory.checkpoints()[CONVERSATIONS]
    around.store.gate.clear()
    async with running(around):
        await around.store.entered.wait()
        batch = around.store.commits[0]
        other = batch.lane._replace(partition=7)
        await around.memory.commit(GRANT, replace(batch, lane=other, start=0))
        around.store.gate.set()
        await archived(around)
    assert elsewhere.next == 1
    assert isinstance(around.observer.delays[0], Stale)
    assert [event.sequence for event in around.memory.events("c1")] == [1, 2, 3, 4]
    assert around.memory.checkpoints()[CONVERSATIONS].counts == Counts(archived=1, duplicate=3)


async def test_a_bug_stops_the_lane_with_nothing_committed() -> None:
    """An error that nobody foresaw is raised, and neither its batch nor a later one is stored."""
    around = surroundings(TALK, [None, Fault(RuntimeError("bug"))], BY_TWOS)
    lane = Lane(CONVERSATIONS, around.parts)
    with pytest.raises(RuntimeError, match="bug"):
        await asyncio.wait_for(lane.run(), 10)
    assert around.memory.checkpoints()[CONVERSATIONS].next == 2
    assert len(around.store.commits) == 2


async def test_stop_finishes_the_commit_under_way() -> None:
    """A lane that is told to stop in the middle of a commit ends after it, with the commit stored."""
    around = surroundings(TALK, limits=BY_TWOS)
    around.store.gate.clear()
    lane = Lane(CONVERSATIONS, around.parts)
    task = asyncio.create_task(lane.run())
    await around.store.entered.wait()
    lane.stop()
    around.store.gate.set()
    await asyncio.wait_for(task, 10)
    position = around.memory.checkpoints()[CONVERSATIONS]
    assert position.next in {2, 4}
    assert lane.position == position
    assert around.observer.end(CONVERSATIONS) == position.next


async def test_cancelling_finishes_the_commit_under_way() -> None:
    """A lane that is cut off still waits for what it has begun to commit."""
    around = surroundings(TALK, limits=BY_TWOS)
    around.store.gate.clear()
    task = asyncio.create_task(Lane(CONVERSATIONS, around.parts).run())
    await around.store.entered.wait()
    task.cancel()
    around.store.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert around.memory.checkpoints()[CONVERSATIONS].next == 2


async def test_a_lane_that_waits_no_longer_leaves_its_commit_alone() -> None:
    """Cut off while it waits for its commit on the way out, a lane ends, and the commit goes on to its own end."""
    around = surroundings(TALK[:2])
    around.store.gate.clear()
    task = asyncio.create_task(Lane(CONVERSATIONS, around.parts).run())
    await around.store.entered.wait()
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0)
    around.store.gate.set()
    await around.observer.until(lambda: around.end(CONVERSATIONS) == 2)


async def test_stop_ends_a_pause() -> None:
    """A lane that backs off does not keep the process from ending."""
    around = surroundings(TALK, [Fault(DependencyUnavailable("no primary", retry_after_s=20))])
    async with running(around):
        assert await around.clock.asleep() == 20
    assert around.memory.checkpoints() == {}


async def test_batches_are_bounded_by_bytes() -> None:
    """No batch has more bytes of keys and values than the limit, unless one record alone has."""
    sizes = [len(record.key or b"") + len(record.value or b"") for record in TALK]
    limit = 2 * max(sizes)
    around = surroundings(TALK, limits=LaneLimits(batch_bytes=limit))
    async with running(around):
        await archived(around)
    batches = around.observer.batches
    assert len(batches) > 2
    assert all(sum(sizes[batch.start : batch.end]) <= limit for batch in batches)

    single = surroundings(TALK, limits=LaneLimits(batch_bytes=1))
    async with running(single):
        await archived(single)
    assert [batch.end - batch.start for batch in single.observer.batches] == [1] * 10


async def test_the_next_batch_is_made_while_the_last_commits() -> None:
    """With one commit held up, the lane has fetched on; it begins no second commit before the first is done."""
    around = surroundings(TALK, limits=BY_TWOS)
    around.store.gate.clear()
    async with running(around):
        await around.store.entered.wait()
        while around.source.fetches < 2:
            await around.source.fetched()
        assert len(around.store.commits) == 1
        assert around.memory.checkpoints() == {}
        around.store.gate.set()
        await archived(around)
    assert_one_copy(around)


async def test_a_duplicate_of_what_is_being_committed_is_one() -> None:
    """A record that repeats one of the batch under way is told to be a duplicate only after that is stored."""
    around = surroundings(laid([TALK[0], TALK[1], TALK[1], TALK[0], *TALK[2:]]), limits=BY_TWOS)
    async with running(around):
        await archived(around)
    assert around.observer.delays == []
    assert around.memory.checkpoints()[CONVERSATIONS].counts == Counts(archived=10, duplicate=2)
    assert_one_copy(around, records=12)


async def test_a_working_set_smaller_than_a_batch_costs_reads_only() -> None:
    """A lane that can keep one conversation at hand still archives batches of many, more than once."""
    talks = [history(started(conversation=f"c{n}"), message(conversation=f"c{n}")) for n in range(5)]
    records = laid([talk[step] for step in (0, 1) for talk in talks])
    around = surroundings(records, limits=LaneLimits(batch_records=5, conversations_max=1))
    async with running(around):
        await archived(around)
    assert around.memory.checkpoints()[CONVERSATIONS].counts == Counts(archived=10)
    assert {found.held for found in around.memory.conversations().values()} == {((1, 2),)}


async def test_an_expired_grant_halts_progress_until_there_is_another() -> None:
    """A refusal to write is waited out; nothing is lost and nothing is committed without leave."""
    around = surroundings(TALK, [Fault(GrantRefused("expired"))])
    async with running(around):
        await archived(around)
    assert isinstance(around.observer.delays[0], GrantRefused)
    assert_one_copy(around)


async def test_quarantine_is_counted_and_passed() -> None:
    """Records that cannot be archived stop nothing, and the counts add up to what was read."""
    around = surroundings(laid([broken(), *TALK, broken()]), limits=BY_TWOS)
    async with running(around):
        await archived(around)
    assert around.memory.checkpoints()[CONVERSATIONS].counts == Counts(archived=10, quarantined=2)
    assert [entry.record.offset for entry in around.memory.quarantine()] == [0, 11]


def test_batches_add_up_from_nothing() -> None:
    """Counts start at zero, and their total is their sum."""
    assert ZERO.total == 0
    assert Counts(1, 2, 3).total == 6


async def test_a_content_store_that_cannot_be_asked_holds_a_lane_up() -> None:
    """Nothing is decided about a file while the store is away; once it is back the lane goes on, and all is there."""
    around = surroundings({CONFERENCES: history(activated(), entered(ALICE), uploaded(reference(b"a plan")))})
    around.memory.contents.put(b"a plan")
    down = DependencyUnavailable("no primary")
    contents = AbsentContent(around.memory.contents, [down, down])
    parts = replace(around.parts, contents=contents)
    lane = Lane(CONFERENCES, parts)
    task = asyncio.create_task(lane.run())
    await archived(around, CONFERENCES)
    lane.stop()
    async with asyncio.timeout(10):
        await task
    assert around.observer.delays == [down, down]
    assert around.memory.checkpoints()[CONFERENCES].counts == Counts(archived=3)
    assert [one.state for one in around.memory.attachments()] == [ContentState.STORED]


async def test_a_file_that_is_swept_before_the_commit_leaves_a_stub() -> None:
    """A lane whose commit comes behind a sweep looks again, and archives the event without its file."""
    around = surroundings({CONFERENCES: history(activated(), uploaded(reference(b"a plan")))})
    around.memory.contents.put(b"a plan")
    around.store.gate.clear()
    async with running(around, CONFERENCES):
        async with asyncio.timeout(10):
            await around.store.entered.wait()
        around.clock.advance(1)
        assert await around.memory.contents.drop(reference(b"a plan").sha256, around.clock.now())
        around.store.gate.set()
        await archived(around, CONFERENCES)
    assert around.memory.checkpoints()[CONFERENCES].counts == Counts(archived=1, quarantined=1)
    assert [one.state for one in around.memory.attachments()] == [ContentState.MISSING]
