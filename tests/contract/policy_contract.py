"""What every `PolicyStore` must do, whatever it is made of, and what its changes mean for commits."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from consumers.grant import GrantRefused
from consumers.policy.ports import PolicyStore, TooLate
from consumers.policy.subject import GLOBAL, Subject, SubjectKind
from consumers.ports import ArchiveStore
from consumers.tokens.ports import PartnerStore
from schemas.policies import ArchivingConfiguration, ArchivingPolicy, DirectoryUser, MailboxHold, PolicyValue, PoolPlace
from tests.builders import history
from tests.contract.store_contract import TALK, batch_of
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
