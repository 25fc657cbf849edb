"""What every `PartnerStore` must do, whatever it is made of, and what its changes mean for commits."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import pytest

from consumers.batch import LaneId
from consumers.grant import ARCHIVE_ROLE, Grant, GrantRefused
from consumers.ports import ArchiveStore
from consumers.tokens.partner import PartnerApplication, PartnerKey, TrustLevel
from consumers.tokens.ports import PartnerStore
from schemas.principals import SHAREPOINT, Principal
from schemas.support import Deployment
from tests.builders import ALICE, BOB, CAROL, CONVERSATIONS, DAVE, history, message, started
from tests.contract.store_contract import TALK, Stored, batch_of
from tests.support.trust import GRANT, KEY, PARTNER

NEXT_KEY = PartnerKey("y" * 27, b"another certificate")
USER_GRANT = replace(GRANT, user="alice@contoso.example")

DOUBTS: dict[str, tuple[Grant, PartnerApplication, str]] = {
    "disabled": (GRANT, replace(PARTNER, enabled=False), "is disabled"),
    "role revoked": (GRANT, replace(PARTNER, roles=frozenset({"UserApplication"})), ARCHIVE_ROLE),
    "key retired": (GRANT, replace(PARTNER, keys=(NEXT_KEY,)), "no longer signs"),
    "no keys": (GRANT, replace(PARTNER, keys=()), "no longer signs"),
    "trusted for users only": (GRANT, replace(PARTNER, trust=TrustLevel.USER), "no longer trusted"),
    "run elsewhere": (GRANT, replace(PARTNER, deployment=Deployment.ONLINE), "runs elsewhere"),
    "trusted for itself only": (USER_GRANT, replace(PARTNER, trust=TrustLevel.APPLICATION), "no longer trusted"),
}
"""A grant, what becomes of its partner, and the reason that is named."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """A store under test, how to read it, and the partners that it asks, of which there are none yet."""

    store: ArchiveStore
    stored: Stored
    partners: PartnerStore


class PartnerContract(ABC):
    """The contract of `consumers.tokens.ports.PartnerStore`."""

    @abstractmethod
    async def trusted(self) -> Trusted:
        """The stores under test, empty; a fixture."""

    async def test_partners_come_back_as_they_were_put(self, trusted: Trusted) -> None:
        """Every field of a partner is kept, and the latest state counts."""
        other = replace(PARTNER, name="sharepoint", principal=Principal(SHAREPOINT, "contoso.example"), keys=())
        assert await trusted.partners.partners() == []
        await trusted.partners.put(PARTNER)
        await trusted.partners.put(other)
        changed = replace(PARTNER, enabled=False, trust=TrustLevel.USER, roles=frozenset(), keys=(KEY, NEXT_KEY))
        await trusted.partners.put(changed)
        assert list(await trusted.partners.partners()) == [other, changed]

    async def test_putting_enables_nobody(self, trusted: Trusted) -> None:
        """Whoever puts what they read before a partner was disabled does not undo that; enabling it does."""
        moved = replace(PARTNER, metadata_url="https://elsewhere.example/")
        await trusted.partners.put(PARTNER)
        await trusted.partners.switch(PARTNER.principal, enabled=False)
        await trusted.partners.put(moved)
        assert list(await trusted.partners.partners()) == [replace(moved, enabled=False)]
        await trusted.partners.switch(PARTNER.principal, enabled=True)
        assert list(await trusted.partners.partners()) == [moved]

    async def test_publishing_changes_the_keys_and_nothing_else(self, trusted: Trusted) -> None:
        """Whatever was changed of the partner in the meantime stays: one that was disabled is not enabled by it."""
        disabled = replace(PARTNER, enabled=False, trust=TrustLevel.USER, roles=frozenset())
        other = replace(PARTNER, name="sharepoint", principal=Principal(SHAREPOINT, "contoso.example"))
        await trusted.partners.put(disabled)
        await trusted.partners.put(other)
        await trusted.partners.publish(PARTNER.principal, (NEXT_KEY, KEY))
        assert list(await trusted.partners.partners()) == [other, replace(disabled, keys=(NEXT_KEY, KEY))]

    async def test_publishing_makes_no_partner(self, trusted: Trusted) -> None:
        """Keys of somebody who is no partner are not kept."""
        await trusted.partners.publish(PARTNER.principal, (KEY,))
        assert await trusted.partners.partners() == []

    async def test_keys_of_an_address_that_is_no_longer_pinned_are_not_published(self, trusted: Trusted) -> None:
        """Keys count only while the address that they were fetched from is the partner's."""
        moved = replace(PARTNER, metadata_url="http://127.0.0.1/moved")
        await trusted.partners.put(moved)
        await trusted.partners.publish(PARTNER.principal, (NEXT_KEY,), PARTNER)
        assert list(await trusted.partners.partners()) == [moved]
        await trusted.partners.publish(PARTNER.principal, (NEXT_KEY,), moved)
        assert list(await trusted.partners.partners()) == [replace(moved, keys=(NEXT_KEY,))]

    async def test_keys_that_somebody_else_published_meanwhile_are_not_replaced_unseen(self, trusted: Trusted) -> None:
        """Keys count only where those that are there are the ones that whoever fetched them knew."""
        await trusted.partners.put(PARTNER)
        await trusted.partners.publish(PARTNER.principal, (NEXT_KEY,), PARTNER)
        await trusted.partners.publish(PARTNER.principal, (KEY, NEXT_KEY), PARTNER)
        assert list(await trusted.partners.partners()) == [replace(PARTNER, keys=(NEXT_KEY,))]

    async def test_a_key_that_is_published_no_more_writes_no_more(self, trusted: Trusted) -> None:
        """A grant is over once the key that signed its token is not among the published ones."""
        await trusted.partners.put(PARTNER)
        records = history(*TALK, message(ALICE, "more"))
        await trusted.store.commit(GRANT, await batch_of(trusted.store, records[:2]))
        batch = await batch_of(trusted.store, records[2:])
        await trusted.partners.publish(PARTNER.principal, (NEXT_KEY,))
        with pytest.raises(GrantRefused, match="no longer signs"):
            await trusted.store.commit(GRANT, batch)
        await trusted.partners.publish(PARTNER.principal, (NEXT_KEY, KEY))
        await trusted.store.commit(GRANT, batch)

    async def test_switching_changes_whether_it_is_enabled_and_nothing_else(self, trusted: Trusted) -> None:
        """Keys that were published in the meantime stay, and nobody becomes a partner by it."""
        await trusted.partners.switch(PARTNER.principal, enabled=True)
        assert await trusted.partners.partners() == []
        await trusted.partners.put(PARTNER)
        await trusted.partners.publish(PARTNER.principal, (NEXT_KEY,))
        await trusted.partners.switch(PARTNER.principal, enabled=False)
        assert list(await trusted.partners.partners()) == [replace(PARTNER, enabled=False, keys=(NEXT_KEY,))]

    async def test_nobody_writes_without_a_partner(self, trusted: Trusted) -> None:
        """A grant of somebody who is no partner gives no leave, not even to begin a lane."""
        batch = await batch_of(trusted.store, history(*TALK))
        with pytest.raises(GrantRefused, match="no partner application"):
            await trusted.store.commit(GRANT, batch)
        assert await trusted.store.checkpoint(CONVERSATIONS) is None
        assert await trusted.stored.names() == {}

    async def test_no_mailbox_is_made_once_trust_is_gone(self, trusted: Trusted) -> None:
        """People who are met for the first time have no mailbox either, in a lane that goes on or one that begins."""
        await trusted.partners.put(PARTNER)
        await trusted.store.commit(GRANT, await batch_of(trusted.store, history(*TALK)))
        before = await trusted.stored.names()
        await trusted.partners.switch(PARTNER.principal, enabled=False)
        strangers = history(started(CAROL, DAVE, conversation="c2"))
        for lane in (CONVERSATIONS, LaneId(CONVERSATIONS.topic, 1)):
            with pytest.raises(GrantRefused, match="is disabled"):
                await trusted.store.commit(GRANT, await batch_of(trusted.store, strangers, lane))
        assert await trusted.stored.names() == before

    @pytest.mark.parametrize("case", DOUBTS)
    async def test_trust_that_is_gone_stops_writing_at_once(self, trusted: Trusted, case: str) -> None:
        """A grant that was good writes nothing more once its partner does not stand behind it, and again when it does.

        Nothing advances in between, and nothing is lost.
        """
        grant, doubtful, reason = DOUBTS[case]
        await trusted.partners.put(PARTNER)
        records = history(*TALK, message(ALICE, "more"))
        await trusted.store.commit(grant, await batch_of(trusted.store, records[:2]))
        await trusted.partners.put(doubtful)
        batch = await batch_of(trusted.store, records[2:])
        with pytest.raises(GrantRefused, match=reason):
            await trusted.store.commit(grant, batch)
        checkpoint = await trusted.store.checkpoint(CONVERSATIONS)
        assert checkpoint is not None
        assert checkpoint.next == 2
        await trusted.partners.put(PARTNER)
        await trusted.partners.switch(PARTNER.principal, enabled=True)
        await trusted.store.commit(grant, batch)
        assert (await trusted.store.load(["c1"]))["c1"].held == ((1, 4),)

    async def test_a_key_that_stays_through_a_refresh_goes_on(self, trusted: Trusted) -> None:
        """A partner's new key takes nothing from grants that its old key signed, while that is published."""
        await trusted.partners.put(PARTNER)
        await trusted.partners.put(replace(PARTNER, keys=(NEXT_KEY, KEY)))
        await trusted.store.commit(GRANT, await batch_of(trusted.store, history(*TALK)))

    async def test_a_grant_for_some_mailboxes_reaches_no_other(self, trusted: Trusted) -> None:
        """Whoever acts for one user writes into that user's mailbox only."""
        await trusted.partners.put(PARTNER)
        batch = await batch_of(trusted.store, history(started()), LaneId(CONVERSATIONS.topic, 1))
        own = frozenset({batch.items[0].mailbox})
        with pytest.raises(GrantRefused, match="does not reach"):
            await trusted.store.commit(replace(GRANT, mailboxes=own), batch)
        everyone = frozenset(item.mailbox for item in batch.items)
        await trusted.store.commit(replace(GRANT, mailboxes=everyone), batch)

    async def test_a_grant_for_some_mailboxes_adds_to_no_conversation_of_others(self, trusted: Trusted) -> None:
        """A message changes no item, and yet whoever takes part sees it: that is writing into their mailboxes."""
        await trusted.partners.put(PARTNER)
        records = history(*TALK, message(ALICE, "more"))
        await trusted.store.commit(GRANT, await batch_of(trusted.store, records[:2]))
        batch = await batch_of(trusted.store, records[2:])
        assert batch.items == ()
        for own in (frozenset({CAROL.sip}), frozenset({ALICE.sip})):
            with pytest.raises(GrantRefused, match="does not reach"):
                await trusted.store.commit(replace(GRANT, mailboxes=own), batch)
        await trusted.store.commit(replace(GRANT, mailboxes=frozenset({ALICE.sip, BOB.sip})), batch)
