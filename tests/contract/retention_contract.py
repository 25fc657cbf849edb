"""What every `RetentionStore` must do, whatever it is made of, and what its purges mean for commits."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from consumers.batch import Batch, Counts
from consumers.fold import recalls
from consumers.grant import GrantRefused
from consumers.policy.decision import Target
from consumers.policy.governing import Governing
from consumers.policy.ports import PolicyStore, Purge, Reason, RetentionStore, Unclaimed
from consumers.policy.retention import exported
from consumers.policy.subject import Subject, SubjectKind
from consumers.ports import ArchiveStore, MailboxStore, Stale
from consumers.tokens.ports import PartnerStore
from schemas.errors import Cause
from schemas.events import EventData
from schemas.policies import MailboxHold
from schemas.record import Record
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    CONFERENCES,
    CONVERSATIONS,
    activated,
    adjourned,
    decoded,
    entered,
    history,
    joined,
    left,
    message,
    record,
    said,
    started,
)
from tests.contract.policy_contract import governing, targets
from tests.contract.store_contract import Stored, batch_of
from tests.support.clock import START, ManualClock
from tests.support.trust import GRANT, PARTNER

TALK = (started(ALICE, BOB, CAROL), message(ALICE, "hello"))
LATER = START + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Retained:
    """A store under test, the archive that it deletes from, and whatever else there is to change it by."""

    retention: RetentionStore
    store: ArchiveStore
    policies: PolicyStore
    partners: PartnerStore
    mailboxes: MailboxStore
    stored: Stored
    clock: ManualClock

    async def archive(self, *steps: EventData, done: int = 0) -> Batch:
        """Fold what follows the first `done` steps by the policies in force, and commit it."""
        return await self.archive_records(history(*steps)[done:])

    async def archive_records(self, records: list[Record]) -> Batch:
        """Fold records of one lane by the policies in force, and commit them."""
        lane = CONFERENCES if records[0].topic == CONFERENCES.topic else CONVERSATIONS
        governance = Governing(self.store)
        await governance.refresh()
        batch = await batch_of(self.store, records, lane, governance.current)
        await self.store.commit(GRANT, batch)
        return batch

    async def purge(self, *mailboxes: str, frees: bool = False, conversation: str = "c1") -> None:
        """Purge on what is stored now."""
        await self.retention.purge(GRANT, await self.decided(*mailboxes, frees=frees, conversation=conversation))

    async def decided(self, *mailboxes: str, frees: bool = False, conversation: str = "c1") -> Purge:
        """Return a purge that is decided by what is stored now."""
        found = (await self.store.load([conversation]))[conversation]
        number = len(await self.policies.history())
        return Purge(conversation, found.revision, number, mailboxes, frees, Reason.PURGE)

    async def delete_items(self, *users: str) -> None:
        """Let users delete what they see of everything."""
        for user in users:
            for item in await self.stored.items(user):
                await self.mailboxes.delete(GRANT, user, item.id)


class RetentionContract(ABC):
    """The contract of `consumers.policy.ports.RetentionStore`; Alice is archived in Exchange, Bob in Lync."""

    @abstractmethod
    async def retained(self) -> Retained:
        """The stores under test, empty but for the partner; a fixture."""

    async def test_a_purge_takes_one_copy_and_nothing_else(self, retained: Retained) -> None:
        """The copy is gone; others' copies, what users see and what was said stay."""
        await retained.policies.change(GRANT, governing(), START)
        await retained.archive(*TALK)
        before = (await retained.store.load(["c1"]))["c1"]
        await retained.purge(BOB.sip)
        assert targets(await retained.stored.copies()) == {ALICE.sip: Target.EXCHANGE}
        after = (await retained.store.load(["c1"]))["c1"]
        assert after == before._replace(revision=before.revision + 1, purged=frozenset({BOB.sip}))
        assert len(await retained.stored.events("c1")) == 2
        assert len(await retained.stored.items(BOB.sip)) == 1
        (remains,) = await retained.retention.unclaimed(Unclaimed.PURGED, "", 10)
        assert [copy.mailbox for copy in remains.copies] == [ALICE.sip]
        assert remains.seen

    async def test_a_purged_copy_does_not_come_back(self, retained: Retained) -> None:
        """Whatever comes to the conversation later is archived for the others, and seen as ever."""
        await retained.policies.change(GRANT, governing(), START)
        steps = (*TALK, left(BOB), joined(BOB), message(BOB, "late"))
        await retained.archive(*steps[:2])
        await retained.purge(BOB.sip)
        await retained.archive(*steps, done=2)
        assert targets(await retained.stored.copies()) == {ALICE.sip: Target.EXCHANGE}
        assert (await retained.store.load(["c1"]))["c1"].purged == {BOB.sip}
        assert len((await retained.stored.items(BOB.sip))[0].visible) == 2

    async def test_a_batch_from_before_a_purge_is_stale(self, retained: Retained) -> None:
        """A lane that does not know of a purge writes nothing, and folds again."""
        await retained.policies.change(GRANT, governing(), START)
        await retained.archive(*TALK)
        governance = Governing(retained.store)
        await governance.refresh()
        late = await batch_of(retained.store, history(*TALK, left(BOB))[2:], governance=governance.current)
        await retained.purge(BOB.sip)
        with pytest.raises(Stale):
            await retained.store.commit(GRANT, late)
        assert targets(await retained.stored.copies()) == {ALICE.sip: Target.EXCHANGE}

    async def test_content_goes_with_the_last_claim(self, retained: Retained) -> None:
        """With the last copy, and where no user sees it any more, all is gone but what proves that it was there."""
        await retained.policies.change(GRANT, governing(history=False), START)
        await retained.archive(started(BOB, CAROL), message(BOB, "hello"))
        await retained.delete_items(BOB.sip, CAROL.sip)
        before = (await retained.store.load(["c1"]))["c1"]
        await retained.purge(BOB.sip, frees=True)
        after = (await retained.store.load(["c1"]))["c1"]
        assert (after.removed, after.held, after.segments, after.head) == (True, before.held, 1, before.head)
        assert (after.revision, after.members, after.opening) == (before.revision + 1, {}, None)
        assert await retained.stored.copies() == []
        assert await retained.stored.events("c1") == []
        assert await retained.retention.look("c1") is None
        assert await retained.retention.unclaimed(Unclaimed.PURGED, "", 10) == []
        assert BOB.sip in await retained.stored.names()
        with pytest.raises(Stale):
            await retained.store.recall([("c1", 1)])

    async def test_content_stays_while_somebody_has_a_claim(self, retained: Retained) -> None:
        """A copy of anybody's, and an item that its user did not delete, keep it; nothing of such a purge is done."""
        await retained.policies.change(GRANT, governing(), START)
        await retained.archive(*TALK)
        with pytest.raises(Stale):
            await retained.purge(BOB.sip, frees=True)
        await retained.delete_items(ALICE.sip, BOB.sip, CAROL.sip)
        with pytest.raises(Stale):
            await retained.purge(BOB.sip, frees=True)
        assert len(await retained.stored.copies()) == 2
        assert len(await retained.stored.events("c1")) == 2

    async def test_what_was_decided_on_something_else_is_stale(self, retained: Retained) -> None:
        """Another revision, other policies, a copy in Exchange or none at all: nothing is deleted."""
        await retained.policies.change(GRANT, governing(), START)
        await retained.archive(*TALK)
        good = await retained.decided(BOB.sip)
        for wrong in (
            good._replace(revision=good.revision + 1),
            good._replace(policies=good.policies - 1),
            good._replace(mailboxes=(ALICE.sip, BOB.sip)),
            good._replace(mailboxes=(BOB.sip, CAROL.sip)),
            good._replace(conversation="absent"),
        ):
            with pytest.raises(Stale):
                await retained.retention.purge(GRANT, wrong)
        await retained.policies.change(GRANT, {Subject(SubjectKind.HOLD, BOB.sip): MailboxHold()}, LATER)
        with pytest.raises(Stale, match="policies"):
            await retained.retention.purge(GRANT, good)
        assert len(await retained.stored.copies()) == 2
        assert (await retained.store.load(["c1"]))["c1"].revision == good.revision

    async def test_nobody_purges_without_leave(self, retained: Retained) -> None:
        """A grant that is over, and one whose partner is disabled, delete and mark nothing."""
        await retained.policies.change(GRANT, governing(), START)
        await retained.archive(*TALK)
        purge = await retained.decided(BOB.sip)
        ids = {copy.item.id: 1 for copy in await retained.stored.copies()}
        with pytest.raises(GrantRefused):
            await retained.retention.purge(replace(GRANT, expires_at=START), purge)
        await retained.partners.switch(PARTNER.principal, enabled=False)
        with pytest.raises(GrantRefused):
            await retained.retention.purge(GRANT, purge)
        with pytest.raises(GrantRefused):
            await retained.retention.mark_exported(GRANT, ids)
        assert len(await retained.stored.copies()) == 2

    async def test_late_events_of_a_removed_conversation(self, retained: Retained) -> None:
        """What was held is a duplicate, anything else is quarantined, and every record is counted once."""
        await retained.policies.change(GRANT, governing(), START)
        steps = (started(BOB, CAROL), message(BOB, "hello"), message(CAROL, "late"))
        await retained.archive(*steps[:2])
        await retained.delete_items(BOB.sip, CAROL.sip)
        await retained.purge(BOB.sip, frees=True)
        run = decoded(history(*steps))
        assert recalls(run, await retained.store.load(["c1"])) == set()
        batch = await retained.archive(*steps)
        assert batch.counts == Counts(0, 2, 1)
        assert [cause for _, cause, _ in await retained.stored.quarantined()] == [Cause.CONVERSATION_REMOVED]
        checkpoint = await retained.store.checkpoint(CONVERSATIONS)
        assert checkpoint is not None
        assert checkpoint.counts == Counts(2, 2, 1)
        assert await retained.stored.items(CAROL.sip) == []

    async def test_copies_are_looked_at_by_start(self, retained: Retained) -> None:
        """Lync's alone, in pages, those that began first first, none that began at the limit or later.

        One whose opening is not held comes first of all.
        """
        await retained.policies.change(GRANT, governing(), START)
        for day, name in enumerate(("c3", "c1", "c2"), 1):
            await retained.archive_records([record(1, started(ALICE, BOB, conversation=name), at_s=day * 86400)])
        await retained.archive(started(ALICE, conversation="c9"))
        await retained.archive_records([record(2, joined(BOB, "c8"), at_s=9 * 86400)])

        async def paged(before: datetime, size: int) -> list[str]:
            names: list[str] = []
            after: tuple[datetime | None, str] | None = None
            while page := await retained.retention.archived(before, after, size):
                names += [remains.conversation.id for remains in page]
                after = page[-1].started, page[-1].conversation.id
            return names

        for size in (1, 2, 10):
            assert await paged(START + timedelta(days=4), size) == ["c8", "c3", "c1", "c2"]
            assert await paged(START + timedelta(days=3), size) == ["c8", "c3", "c1"]
        assert await paged(LATER, 10) == ["c8"]

    async def test_meetings_that_nobody_keeps(self, retained: Retained) -> None:
        """They are listed by id, in pages, with who sees them and how far their lane is; one that is kept is not."""
        await retained.policies.change(GRANT, governing(), START)
        for name in ("m1", "m2", "m3"):
            await retained.archive(activated(name), entered(CAROL, name), said(CAROL, "hello", name))
        await retained.archive(activated("m4"), entered(BOB, "m4"), adjourned(3, "m4"))
        await retained.archive(*TALK)
        first = await retained.retention.unclaimed(Unclaimed.UNKEPT, "", 2)
        rest = await retained.retention.unclaimed(Unclaimed.UNKEPT, first[-1].conversation.id, 2)
        assert [one.conversation.id for one in (*first, *rest)] == ["m1", "m2", "m3"]
        assert {(one.copies, one.seen, one.watermark) for one in (*first, *rest)} == {
            ((), True, START + timedelta(seconds=3))
        }
        await retained.delete_items(CAROL.sip)
        await retained.purge(conversation="m1", frees=True)
        assert [one.conversation.id for one in await retained.retention.unclaimed(Unclaimed.UNKEPT, "", 9)] == [
            "m2",
            "m3",
        ]

    async def test_an_export_marks_what_was_exported(self, retained: Retained) -> None:
        """A mark stays through later commits, and counts no more once something came; a copy that is gone has none."""
        await retained.policies.change(GRANT, governing(), START)
        await retained.archive(*TALK)
        ids = {copy.item.id: 1 for copy in await retained.stored.copies()}
        assert await retained.retention.mark_exported(GRANT, ids | {"absent": 1}) == 2
        assert await retained.retention.mark_exported(GRANT, ids) == 0
        remains = await retained.retention.look("c1")
        assert remains is not None
        assert all(exported(copy, remains.conversation) for copy in remains.copies)
        await retained.archive(*TALK, left(BOB), done=2)
        remains = await retained.retention.look("c1")
        assert remains is not None
        assert [copy.exported_segments for copy in remains.copies] == [1, 1]
        assert not any(exported(copy, remains.conversation) for copy in remains.copies)
        assert await retained.retention.mark_exported(GRANT, dict.fromkeys(ids, 2)) == 2

    async def test_daily_runs_are_noted(self, retained: Retained) -> None:
        """The latest counts, in whatever order they are noted."""
        assert await retained.retention.daily_ran() is None
        for moment in (LATER, START):
            await retained.retention.note_daily(moment)
            assert await retained.retention.daily_ran() == LATER
