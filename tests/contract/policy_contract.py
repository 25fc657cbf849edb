"""What every `PolicyStore` must do, whatever it is made of, and what its changes mean for commits."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from consumers.batch import Batch
from consumers.copy import Copy
from consumers.folder import FolderId
from consumers.grant import GrantRefused
from consumers.policy.decision import Target
from consumers.policy.governing import Governing
from consumers.policy.ports import PolicyStore, TooLate
from consumers.policy.subject import GLOBAL, Subject, SubjectKind
from consumers.ports import ArchiveStore, MailboxStore, Stale
from consumers.reading import NotFound
from consumers.tokens.ports import PartnerStore
from schemas.events import EventData
from schemas.meetings import Origin
from schemas.policies import (
    ArchivedSessions,
    ArchivingConfiguration,
    ArchivingPolicy,
    DirectoryUser,
    ExchangeArchiving,
    MailboxHold,
    PolicyValue,
    PoolPlace,
)
from schemas.record import Record
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    CONVERSATIONS,
    activated,
    appointed,
    came,
    failed,
    history,
    joined,
    message,
    missed,
    person,
    said,
    started,
    waited,
)
from tests.contract.store_contract import TALK, Stored, batch_of
from tests.support.clock import START
from tests.support.trust import GRANT, PARTNER

VALUES: dict[Subject, PolicyValue | None] = {
    Subject(SubjectKind.CONFIGURATION, GLOBAL): ArchivingConfiguration(enable_exchange_archiving=True),
    Subject(SubjectKind.POLICY, "tag:own"): ArchivingPolicy(archive_external=True),
    Subject(SubjectKind.POOL, "pool1"): PoolPlace(site="redmond"),
    Subject(SubjectKind.USER, "sip:a@contoso.example"): DirectoryUser(policy="own", mailbox=2010),
    Subject(SubjectKind.HOLD, "sip:a@contoso.example"): MailboxHold(),
}


@dataclass(frozen=True, slots=True)
class Governed:
    """A store of policies under test, the archive that they are for, and its partners."""

    policies: PolicyStore
    store: ArchiveStore
    partners: PartnerStore
    mailboxes: MailboxStore
    stored: Stored


PHONE_ONLY = person("guest")
"""Somebody without an account."""


def governing(*, history: bool = True, external: bool = False) -> dict[Subject, PolicyValue | None]:
    """Return policies by which Alice is archived in Exchange, Bob in Lync and Carol nowhere."""
    users = {
        ALICE.sip: DirectoryUser(exchange_archiving=ExchangeArchiving.TO_EXCHANGE, conversation_history=history),
        BOB.sip: DirectoryUser(),
        CAROL.sip: DirectoryUser(exchange_archiving=ExchangeArchiving.NO_ARCHIVING),
    }
    return {
        Subject(SubjectKind.CONFIGURATION, GLOBAL): ArchivingConfiguration(
            enable_archiving=ArchivedSessions.IM_AND_WEB_CONF, enable_exchange_archiving=True
        ),
        Subject(SubjectKind.POLICY, GLOBAL): ArchivingPolicy(archive_internal=True, archive_external=external),
        **{Subject(SubjectKind.USER, sip): user for sip, user in users.items()},
    }


async def archive(governed: Governed, *steps: EventData, done: int = 0) -> Batch:
    """Fold what follows the first `done` steps by the policies in force, and commit it."""
    return await archive_records(governed, history(*steps)[done:])


async def archive_records(governed: Governed, records: Iterable[Record]) -> Batch:
    """Fold records by the policies in force, and commit them."""
    governance = Governing(governed.store)
    await governance.refresh()
    batch = await batch_of(governed.store, records, governance=governance.current)
    await governed.store.commit(GRANT, batch)
    return batch


def targets(copies: Iterable[Copy]) -> dict[str, Target]:
    return {copy.item.mailbox: copy.target for copy in copies}


class PolicyContract(ABC):
    """The contract of `consumers.policy.ports.PolicyStore`."""

    @abstractmethod
    async def governed(self) -> Governed:
        """The stores under test, empty but for the partner; a fixture."""

    async def test_changes_come_back_as_they_were_made(self, governed: Governed) -> None:
        """Every value of every kind is kept, numbered from 1, with who made the change and when."""
        assert list(await governed.policies.history()) == []
        first = await governed.policies.change(GRANT, VALUES, START)
        second = await governed.policies.change(GRANT, dict.fromkeys(VALUES), START + timedelta(days=1))
        found = list(await governed.policies.history())
        assert found == [*first, *second]
        assert [change.number for change in found] == list(range(1, 11))
        assert {change.subject: change.value for change in first} == VALUES
        assert {(change.effective_at, change.by) for change in first} == {(START, str(GRANT.principal))}
        assert [change.value for change in second] == [None] * 5

    async def test_nobody_changes_a_policy_without_leave(self, governed: Governed) -> None:
        """A grant that is over, and one whose partner is disabled, change nothing."""
        with pytest.raises(GrantRefused):
            await governed.policies.change(replace(GRANT, expires_at=START), VALUES, START)
        await governed.partners.switch(PARTNER.principal, enabled=False)
        with pytest.raises(GrantRefused):
            await governed.policies.change(GRANT, VALUES, START)
        assert list(await governed.policies.history()) == []

    async def test_what_is_archived_stays_decided_as_it_was(self, governed: Governed) -> None:
        """A change from the time of an archived event on, or before it, is refused; a later one is taken."""
        batch = await batch_of(governed.store, history(*TALK))
        await governed.store.commit(GRANT, batch)
        assert batch.watermark is not None
        with pytest.raises(TooLate):
            await governed.policies.change(GRANT, VALUES, batch.watermark)
        assert list(await governed.policies.history()) == []
        later = batch.watermark + timedelta(microseconds=1000)
        assert len(await governed.policies.change(GRANT, VALUES, later)) == len(VALUES)

    async def test_a_commit_writes_the_copies_that_policies_decide(self, governed: Governed) -> None:
        """Each member whose target is not none has a copy in the hidden folder, beside the items that all see."""
        await governed.policies.change(GRANT, governing(), START)
        await archive(governed, started(ALICE, BOB, CAROL), message(ALICE, "hello"))
        copies = await governed.stored.copies()
        assert targets(copies) == {ALICE.sip: Target.EXCHANGE, BOB.sip: Target.LYNC}
        assert {copy.item.folder for copy in copies} == {FolderId.PURGES}
        for who in (ALICE, BOB, CAROL):
            assert [item.folder for item in await governed.stored.items(who.sip)] == [FolderId.CONVERSATION_HISTORY]
        assert (await governed.store.load(["c1"]))["c1"].kept

    async def test_without_a_policy_there_is_no_copy(self, governed: Governed) -> None:
        """Everything is off by default, as in Lync, and what people see is there all the same."""
        await archive(governed, started(ALICE, BOB), message(ALICE, "hello"))
        assert await governed.stored.copies() == []
        assert not (await governed.store.load(["c1"]))["c1"].kept
        assert len(await governed.stored.items(ALICE.sip)) == 1

    async def test_a_batch_that_older_policies_decided_is_stale(self, governed: Governed) -> None:
        """A change that comes between fold and commit is not missed: nothing is written, and the fold is made again."""
        batch = await batch_of(governed.store, history(*TALK))
        await governed.policies.change(GRANT, governing(), START)
        with pytest.raises(Stale, match="policies"):
            await governed.store.commit(GRANT, batch)
        assert await governed.store.checkpoint(CONVERSATIONS) is None
        await archive(governed, *TALK)
        assert targets(await governed.stored.copies()) == {ALICE.sip: Target.EXCHANGE, BOB.sip: Target.LYNC}

    async def test_somebody_from_outside_changes_everybodys_target(self, governed: Governed) -> None:
        """Once they come, the conversation is external: by this policy Bob's copy is there no more, Alice's is."""
        await governed.policies.change(GRANT, governing(), START)
        steps = (started(ALICE, BOB), message(ALICE, "hello"), joined(PHONE_ONLY))
        await archive(governed, *steps[:2])
        assert targets(await governed.stored.copies()) == {ALICE.sip: Target.EXCHANGE, BOB.sip: Target.LYNC}
        await archive(governed, *steps, done=2)
        assert targets(await governed.stored.copies()) == {ALICE.sip: Target.EXCHANGE}

    @pytest.mark.parametrize("origin", [Origin.FEDERATED, Origin.PSTN])
    async def test_an_outsider_makes_a_conference_external(self, governed: Governed, origin: Origin) -> None:
        """Whatever the directory says of them: others are archived as with strangers, they themselves nowhere.

        Who only waits in the lobby, or has a role and never comes, changes nothing.
        """
        await governed.policies.change(GRANT, governing(), START)
        steps = (activated(), came(ALICE), came(BOB), waited(CAROL), appointed(person("never")), came(CAROL, origin))
        await archive(governed, *steps[:-1])
        assert targets(await governed.stored.copies()) == {ALICE.sip: Target.EXCHANGE, BOB.sip: Target.LYNC}
        await archive(governed, *steps, done=len(steps) - 1)
        assert targets(await governed.stored.copies()) == {ALICE.sip: Target.EXCHANGE}
        assert await governed.stored.items(CAROL.sip) == []

    async def test_an_outsider_keeps_nothing(self, governed: Governed) -> None:
        """A conference whose only archived member is not of the organisation is not kept."""
        await governed.policies.change(GRANT, governing(external=True), START)
        await archive(governed, activated(), came(ALICE, Origin.ANONYMOUS), came(CAROL))
        assert await governed.stored.copies() == []
        assert not (await governed.store.load(["m1"]))["m1"].kept

    async def test_a_late_first_message_is_copied(self, governed: Governed) -> None:
        """What a missed item holds its copy holds too, and who keeps no history has no item for it."""
        await governed.policies.change(GRANT, governing(history=False), START)
        steps = (started(BOB, invited=[ALICE]), missed(ALICE), message(BOB, "hello"))
        await archive(governed, *steps[:2])
        await archive(governed, *steps, done=2)
        (copy,) = [copy for copy in await governed.stored.copies() if copy.item.mailbox == ALICE.sip]
        assert copy.item.visible == ((3, 3),)
        assert await governed.stored.items(ALICE.sip) == []

    async def test_what_did_not_arrive_is_not_copied(self, governed: Governed) -> None:
        """A failure to deliver reaches the copy as it reaches the item."""
        await governed.policies.change(GRANT, governing(), START)
        steps = (activated(), came(ALICE), came(BOB), said(), failed(4, BOB))
        await archive(governed, *steps[:4])
        await archive(governed, *steps, done=4)
        assert [copy.item.undelivered for copy in await governed.stored.copies()] == [(), (4,)]

    async def test_history_that_is_off_leaves_no_item(self, governed: Governed) -> None:
        """Who keeps no conversation history sees nothing; the archived copy is there, for it is not theirs."""
        await governed.policies.change(GRANT, governing(history=False), START)
        await archive(governed, started(ALICE, BOB), message(ALICE, "hello"))
        assert await governed.stored.items(ALICE.sip) == []
        assert len(await governed.stored.items(BOB.sip)) == 1
        assert ALICE.sip in targets(await governed.stored.copies())

    @pytest.mark.parametrize("deletes", [False, True])
    async def test_history_that_was_off_at_a_coming_that_comes_late(self, governed: Governed, deletes: bool) -> None:
        """The item that was shown until then goes, as if all had come in time; one that its user deleted stays so."""
        for history_on, since_s in ((True, 0), (False, 2.5), (True, 4.5)):
            since = START + timedelta(seconds=since_s)
            await governed.policies.change(GRANT, governing(history=history_on), since)
        first, on, off, _, again = history(
            started(BOB, CAROL), joined(ALICE), joined(ALICE), message(BOB, "hello"), joined(ALICE)
        )
        await archive_records(governed, [first, again])
        (item,) = await governed.stored.items(ALICE.sip)
        if deletes:
            await governed.mailboxes.delete(GRANT, ALICE.sip, item.id)
        await archive_records(governed, [off])
        assert await governed.stored.items(ALICE.sip) == []
        assert len(await governed.stored.items(BOB.sip)) == 1
        await archive_records(governed, [on])
        assert len(await governed.stored.items(ALICE.sip)) == (0 if deletes else 1)

    async def test_a_user_deletes_what_they_see_and_nothing_else(self, governed: Governed) -> None:
        """The item is gone, and what comes later does not bring it back; copies, content and others' items stay."""
        await governed.policies.change(GRANT, governing(), START)
        steps = (started(ALICE, BOB), message(ALICE, "hello"), joined(CAROL), message(BOB, "late"))
        await archive(governed, *steps[:2])
        before = await governed.stored.copies()
        item = (await governed.stored.items(ALICE.sip))[0]
        with pytest.raises(NotFound):
            await governed.mailboxes.delete(GRANT, BOB.sip, item.id)
        await governed.mailboxes.delete(GRANT, ALICE.sip, item.id)
        assert await governed.stored.items(ALICE.sip) == []
        assert await governed.stored.copies() == before
        assert len(await governed.stored.events("c1")) == 2
        with pytest.raises(NotFound):
            await governed.mailboxes.delete(GRANT, ALICE.sip, item.id)
        await archive(governed, *steps, done=2)
        assert await governed.stored.items(ALICE.sip) == []
        assert len(await governed.stored.items(BOB.sip)) == 1
        assert ALICE.sip in targets(await governed.stored.copies())

    async def test_nobody_deletes_without_leave(self, governed: Governed) -> None:
        """A grant whose partner is disabled deletes nothing."""
        await archive(governed, started(ALICE, BOB))
        item = (await governed.stored.items(ALICE.sip))[0]
        await governed.partners.switch(PARTNER.principal, enabled=False)
        with pytest.raises(GrantRefused):
            await governed.mailboxes.delete(GRANT, ALICE.sip, item.id)
        assert await governed.stored.items(ALICE.sip) == [item]
