"""What every `ArchiveStore` must do, whatever it is made of. An adapter's test subclasses this and says what it is."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

import pytest

from consumers.batch import ZERO, Batch, Checkpoint, Counts, FirstUse, LaneId
from consumers.content import ContentState, claims
from consumers.copy import Copy
from consumers.filing import file_item
from consumers.fold import fold, recalls
from consumers.grant import GrantRefused
from consumers.item import Item
from consumers.policy.governance import UNGOVERNED, Governance
from consumers.ports import ArchiveStore, Fenced, Stale
from schemas.catalogue import ENDERS, MODELS, OPENERS, EventType
from schemas.envelope import Event
from schemas.errors import Cause
from schemas.events import Role
from schemas.meetings import Origin
from schemas.record import Record
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    CONFERENCES,
    CONVERSATIONS,
    DAVE,
    activated,
    broken,
    came,
    decoded,
    example,
    failed,
    history,
    message,
    missed,
    person,
    said,
    started,
)
from tests.builders import record as record_of
from tests.support.clock import START, ManualClock
from tests.support.trust import GRANT


class Stored(Protocol):
    """What a test reads of a store, whatever it is made of."""

    async def items(self, mailbox: str) -> Sequence[Item]:
        """Return a mailbox's items that its user did not delete, by conversation."""

    async def events(self, conversation: str) -> Sequence[Event]:
        """Return a conversation's events in order of sequence."""

    async def quarantined(self) -> Sequence[tuple[Record, Cause, str]]:
        """Return what is in quarantine, by place."""

    async def names(self) -> dict[str, str]:
        """Return each mailbox's name."""

    async def copies(self) -> Sequence[Copy]:
        """Return every archived copy, by mailbox and conversation."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A store under test, how to read it, and the clock it has."""

    store: ArchiveStore
    stored: Stored
    clock: ManualClock


PRESENTER = person("alice", role=Role.PRESENTER)

TALK = (started(), message(ALICE, "one"), message(BOB, "two"))


async def batch_of(
    store: ArchiveStore,
    records: Iterable[Record],
    lane: LaneId = CONVERSATIONS,
    governance: Governance = UNGOVERNED,
    files: ContentState = ContentState.MISSING,
) -> Batch:
    """Fold records on top of what the store holds, at the offsets after its checkpoint; files are in this state."""
    checkpoint = await store.checkpoint(lane) or Checkpoint(lane, 0)
    run = decoded(records, checkpoint.next)
    known = await store.load({one.event.data.conversation for one in run if isinstance(one.event, Event)})
    contents = dict.fromkeys(claims(run), files)
    return fold(checkpoint, run, known, await store.recall(recalls(run, known)), contents, governance)


async def archive(store: ArchiveStore, records: Iterable[Record]) -> Batch:
    """Fold and commit."""
    batch = await batch_of(store, records)
    await store.commit(GRANT, batch)
    return batch


class StoreContract(ABC):
    """The contract of `consumers.ports.ArchiveStore`."""

    @abstractmethod
    async def subject(self) -> Subject:
        """The store under test, empty; a fixture."""

    async def test_an_empty_store_knows_nothing(self, subject: Subject) -> None:
        """A lane that never committed has no checkpoint, and no conversation is stored."""
        assert await subject.store.checkpoint(CONVERSATIONS) is None
        assert await subject.store.load(["c1"]) == {}
        assert await subject.store.recall([]) == {}

    async def test_a_commit_is_visible(self, subject: Subject) -> None:
        """After a commit its checkpoint, conversations, events, items and mailboxes are there."""
        batch = await archive(subject.store, history(*TALK))

        assert await subject.store.checkpoint(CONVERSATIONS) == Checkpoint(
            CONVERSATIONS, 3, Counts(archived=3), START + timedelta(seconds=3)
        )
        assert await subject.store.load(["c1", "absent"]) == {"c1": batch.conversations[0]}
        assert list(await subject.stored.events("c1")) == list(batch.segments[0].events)
        assert {item.mailbox: item for item in batch.items} == {
            person.sip: (await subject.stored.items(person.sip))[0] for person in (ALICE, BOB)
        }
        assert await subject.stored.names() == {ALICE.sip: "Alice", BOB.sip: "Bob"}

    async def test_a_second_commit_goes_on_from_the_first(self, subject: Subject) -> None:
        """A later batch replaces states and items, adds segments, and leaves members that did not change."""
        records = history(*TALK, missed(BOB), message(BOB, "three"))
        await archive(subject.store, records[:2])
        first = (await subject.store.load(["c1"]))["c1"]
        await archive(subject.store, records[2:])

        conversation = (await subject.store.load(["c1"]))["c1"]
        assert (conversation.revision, conversation.segments, conversation.held) == (2, 2, ((1, 5),))
        assert conversation.members.keys() == first.members.keys()
        assert [event.sequence for event in await subject.stored.events("c1")] == [1, 2, 3, 4, 5]
        assert len(await subject.stored.items(ALICE.sip)) == 1

    async def test_a_whole_conference_comes_back(self, subject: Subject) -> None:
        """All that a conference leaves behind, roles, origins and failures to deliver among it, is kept as it was."""
        named = [name for name in EventType if name.startswith("lync.conference.") and name not in OPENERS | ENDERS]
        steps = [came(PRESENTER), came(BOB), came(CAROL, Origin.FEDERATED), said(conversation="m1")]
        whole = history(activated(), *steps, *(example(MODELS[name], "m1") for name in named), failed(5, BOB, DAVE))
        await archive(subject.store, whole[:4])
        await archive(subject.store, whole[4:-1])
        batch = await archive(subject.store, whole[-1:])

        (conversation,) = batch.conversations
        assert await subject.store.load(["m1"]) == {"m1": conversation}
        assert conversation.undelivered == {BOB.sip: (2, 5), CAROL.sip: (2,), DAVE.sip: (5,)}
        assert [event.body for event in await subject.stored.events("m1")] == [record.value for record in whole]
        (item,) = await subject.stored.items(BOB.sip)
        assert item == file_item(conversation, conversation.members[BOB.sip])
        assert (item.undelivered, await subject.stored.items(CAROL.sip)) == ((2, 5), [])
        assert (await subject.stored.items(ALICE.sip))[0].presented
        assert (await subject.stored.names()).keys() == {ALICE.sip, BOB.sip}

    async def test_counts_add_up_over_commits(self, subject: Subject) -> None:
        """A checkpoint counts every record ever read: archived, duplicate and quarantined."""
        records = history(*TALK)
        await archive(subject.store, [*records, broken()])
        await archive(subject.store, [records[0], broken(), broken()])

        checkpoint = await subject.store.checkpoint(CONVERSATIONS)
        assert checkpoint is not None
        assert (checkpoint.next, checkpoint.counts) == (7, Counts(archived=3, duplicate=1, quarantined=3))
        assert checkpoint.watermark == START + timedelta(seconds=3)

    async def test_lanes_have_a_checkpoint_each(self, subject: Subject) -> None:
        """What one lane commits moves no other lane."""
        await archive(subject.store, history(*TALK))
        assert await subject.store.checkpoint(CONFERENCES) is None
        assert await subject.store.checkpoint(CONVERSATIONS._replace(partition=1)) is None

    async def test_a_lane_begins_at_any_offset(self, subject: Subject) -> None:
        """A lane's first batch sets its checkpoint, wherever the oldest record is."""
        batch = replace(await batch_of(subject.store, history(*TALK)), start=40, end=43)
        await subject.store.commit(GRANT, batch)
        assert await subject.store.checkpoint(CONVERSATIONS) == Checkpoint(
            CONVERSATIONS, 43, batch.counts, batch.watermark
        )

    async def test_an_event_is_recalled_as_it_was(self, subject: Subject) -> None:
        """Every event that is held comes back equal, from whichever segment it lies in."""
        records = history(*TALK, missed(BOB))
        first = await archive(subject.store, [records[0], records[2]])
        second = await archive(subject.store, [records[1], records[3]])
        events = {event.sequence: event for batch in (first, second) for seg in batch.segments for event in seg.events}

        recalled = await subject.store.recall([("c1", sequence) for sequence in (1, 2, 3, 4)])
        assert {place[1]: event for place, event in recalled.items() if place[0] == "c1"} == events

    async def test_a_batch_from_a_wrong_offset_is_fenced(self, subject: Subject) -> None:
        """A batch that does not start at the checkpoint changes nothing, even where its contents are new."""
        await archive(subject.store, history(*TALK))
        other = await batch_of(subject.store, history(started(conversation="c2")))
        for start in (0, 2, 4):
            with pytest.raises(Fenced):
                await subject.store.commit(GRANT, replace(other, start=start))
        await self._only_the_talk_is_stored(subject)

    async def test_a_batch_committed_twice_is_fenced(self, subject: Subject) -> None:
        """The fence comes first: a batch that is stored already is Fenced, not Stale."""
        batch = await archive(subject.store, history(*TALK))
        with pytest.raises(Fenced):
            await subject.store.commit(GRANT, batch)
        await self._only_the_talk_is_stored(subject)

    async def test_a_batch_over_another_revision_is_stale(self, subject: Subject) -> None:
        """A batch made from an older state of a conversation changes nothing of anything."""
        batch = await batch_of(subject.store, history(*TALK))
        stale = await batch_of(subject.store, [*history(started(conversation="c2")), *history(*TALK)[:2], broken()])
        await subject.store.commit(GRANT, batch)
        with pytest.raises(Stale):
            await subject.store.commit(GRANT, replace(stale, start=3, end=7))
        await self._only_the_talk_is_stored(subject)

    async def test_a_conversation_that_is_not_stored_is_stale(self, subject: Subject) -> None:
        """A later revision of a conversation that the store does not have is refused."""
        batch = await batch_of(subject.store, history(*TALK))
        later = tuple(conversation._replace(revision=5) for conversation in batch.conversations)
        with pytest.raises(Stale):
            await subject.store.commit(GRANT, replace(batch, conversations=later))
        assert await subject.store.checkpoint(CONVERSATIONS) is None

    async def test_a_segment_is_never_replaced(self, subject: Subject) -> None:
        """A batch with a segment that is stored already is Stale, though its conversations are in order."""
        batch = await archive(subject.store, history(*TALK))
        other = await batch_of(subject.store, history(started(conversation="c2")))
        with pytest.raises(Stale):
            await subject.store.commit(GRANT, replace(other, segments=(*other.segments, *batch.segments)))
        await self._only_the_talk_is_stored(subject)

    async def test_a_batch_without_leave_is_refused(self, subject: Subject) -> None:
        """Neither an expired grant nor one without the archiving role writes anything."""
        batch = await batch_of(subject.store, history(*TALK))
        with pytest.raises(GrantRefused):
            await subject.store.commit(replace(GRANT, roles=frozenset({"UserApplication"})), batch)
        subject.clock.advance((GRANT.expires_at - START).total_seconds())
        with pytest.raises(GrantRefused):
            await subject.store.commit(GRANT, batch)
        assert await subject.store.checkpoint(CONVERSATIONS) is None
        assert await subject.stored.names() == {}

    async def test_quarantine_keeps_whole_records(self, subject: Subject) -> None:
        """A quarantined record comes back byte for byte, nulls and repeated headers included, with its cause."""
        odd = broken()._replace(key=None, value=None, headers=(("h", None), ("h", b"\xff")))
        conflict = record_of(2, message(ALICE, "another"), event_id="another")
        await archive(subject.store, [*history(*TALK), odd, conflict])

        found = await subject.stored.quarantined()
        assert [(record, cause) for record, cause, _ in found] == [
            (odd._replace(offset=3), Cause.MALFORMED_JSON),
            (conflict._replace(offset=4), Cause.SEQUENCE_CONFLICT),
        ]

    async def test_a_record_is_in_quarantine_once(self, subject: Subject) -> None:
        """A quarantined record that comes a second time, from the same offset, is not there twice."""
        batch = await archive(subject.store, [broken()])
        with pytest.raises(Fenced):
            await subject.store.commit(GRANT, batch)
        same_bytes = await archive(subject.store, [broken()])

        assert same_bytes.start == 1
        assert [record.offset for record, _, _ in await subject.stored.quarantined()] == [0, 1]

    async def test_a_batch_of_nothing_new_moves_the_checkpoint(self, subject: Subject) -> None:
        """A batch of duplicates alone changes the checkpoint and no conversation."""
        records = history(*TALK)
        await archive(subject.store, records)
        before = await subject.store.load(["c1"])
        await archive(subject.store, records)
        checkpoint = await subject.store.checkpoint(CONVERSATIONS)
        assert checkpoint is not None
        assert checkpoint.counts == Counts(archived=3, duplicate=3)
        assert await subject.store.load(["c1"]) == before

    async def test_a_mailbox_is_named_by_its_earliest_use(self, subject: Subject) -> None:
        """Whichever use is archived first, a mailbox has the name of the least time, conversation and name."""
        uses = [
            FirstUse(ALICE.sip, "Later", "2026-01-05T10:00:00Z", "c1"),
            FirstUse(ALICE.sip, "Other conversation", "2026-01-05T09:00:00Z", "c2"),
            FirstUse(ALICE.sip, "Second name", "2026-01-05T09:00:00Z", "c1"),
            FirstUse(ALICE.sip, "First name", "2026-01-05T09:00:00Z", "c1"),
            FirstUse(ALICE.sip, "Again", "2026-01-05T11:00:00Z", "c0"),
        ]
        for offset, use in enumerate(uses):
            empty = Batch(CONVERSATIONS, offset, offset + 1, (), (), frozenset(), (), (), (use,), (), ZERO, None)
            await subject.store.commit(GRANT, empty)
        assert await subject.stored.names() == {ALICE.sip: "First name"}

    async def _only_the_talk_is_stored(self, subject: Subject) -> None:
        checkpoint = await subject.store.checkpoint(CONVERSATIONS)
        assert checkpoint is not None
        assert (checkpoint.next, checkpoint.counts) == (3, Counts(archived=3))
        assert (await subject.store.load(["c1", "c2"])).keys() == {"c1"}
        assert len(await subject.stored.events("c1")) == 3
        assert await subject.stored.events("c2") == []
        assert len(await subject.stored.items(ALICE.sip)) == 1
        assert await subject.stored.quarantined() == []
