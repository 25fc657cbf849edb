"""Refreshing partners' keys: when it is due, for whom, and what it leaves of a partner that changes meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from consumers.tokens.memory_partners import MemoryPartners
from consumers.tokens.metadata_rules import AddressRefused, MetadataRefused, MetadataRule
from consumers.tokens.partner import PartnerApplication, PartnerKey, TrustLevel
from consumers.tokens.refresh import REFRESH_INTERVAL_S, Refresher
from schemas.errors import DependencyUnavailable, LyncArchiverError
from schemas.principals import SHAREPOINT, Principal
from tests.support.clock import ManualClock
from tests.support.trust import KEY, PARTNER

NEXT = PartnerKey("n" * 27, b"next certificate")
LAST = PartnerKey("l" * 27, b"last certificate")
OTHER = replace(PARTNER, name="sharepoint", principal=Principal(SHAREPOINT, "contoso.example"))
REFUSAL = MetadataRefused(MetadataRule.STATUS, "status 500")


class Published:
    """What partners publish, or why it cannot be had; and whom it was asked for."""

    def __init__(self, *keys: PartnerKey) -> None:
        self.keys = keys
        self.failure: LyncArchiverError | None = None
        self.asked: list[PartnerApplication] = []

    async def fetch(self, partner: PartnerApplication) -> tuple[PartnerKey, ...]:
        self.asked.append(partner)
        if self.failure is not None:
            raise self.failure
        return self.keys


class Held:
    """Answers once it is let."""

    def __init__(self, published: Published) -> None:
        self._published = published
        self.asked = asyncio.Event()
        self.answering = asyncio.Event()

    async def fetch(self, partner: PartnerApplication) -> tuple[PartnerKey, ...]:
        self.asked.set()
        await self.answering.wait()
        return await self._published.fetch(partner)


class Overtaken:
    """Answers what was published before `meanwhile`, which happens during the first fetch, and then what is now."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]], *answers: tuple[PartnerKey, ...]) -> None:
        self._meanwhile = meanwhile
        self._answers = list(answers)

    async def fetch(self, partner: PartnerApplication) -> tuple[PartnerKey, ...]:
        answer = self._answers.pop(0)
        if partner.keys == (KEY,):
            await self._meanwhile()
        return answer


class Counted:
    """Partners in memory, how often they were read, and how often keys were published; or no way to them."""

    def __init__(self, *partners: PartnerApplication) -> None:
        self.kept = MemoryPartners(partners)
        self.reads = 0
        self.publications = 0
        self.failure: LyncArchiverError | None = None

    async def partners(self) -> Sequence[PartnerApplication]:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        return await self.kept.partners()

    async def put(self, partner: PartnerApplication) -> None:
        await self.kept.put(partner)

    async def publish(
        self, principal: Principal, keys: tuple[PartnerKey, ...], known: PartnerApplication | None = None
    ) -> None:
        self.publications += 1
        await self.kept.publish(principal, keys, known)

    async def switch(self, principal: Principal, *, enabled: bool) -> None:
        await self.kept.switch(principal, enabled=enabled)


class Ground:
    """A refresher of one partner, of which other keys are published than it has."""

    def __init__(self, *partners: PartnerApplication) -> None:
        self.clock = ManualClock()
        self.published = Published(KEY, NEXT)
        self.held = Held(self.published)
        self.partners = Counted(*(partners or (PARTNER,)))
        self.refresher = Refresher(self.published, self.partners, self.clock)
        self.held_refresher = Refresher(self.held, self.partners, self.clock)

    async def refresh(self, *, force: bool = False) -> PartnerApplication | None:
        """Refresh the partner."""
        return await self.refresher.refresh(PARTNER.principal, force=force)

    async def waiting(self, count: int, *, force: bool = False) -> list[asyncio.Task[PartnerApplication | None]]:
        """Begin so many refreshes, of which one is at the source and the others wait."""
        begun = [asyncio.create_task(self.held_refresher.refresh(PARTNER.principal, force=force)) for _ in range(count)]
        await self.held.asked.wait()
        return begun

    def kept(self) -> PartnerApplication | None:
        """Return the partner as it is stored."""
        return self.partners.kept.find(PARTNER.principal)


async def test_published_keys_are_kept_and_returned() -> None:
    """The partner comes back, and is stored, with the keys that it publishes and all else as it was."""
    ground = Ground()
    after = replace(PARTNER, keys=(KEY, NEXT))
    assert await ground.refresh() == after
    assert ground.kept() == after
    assert ground.published.asked == [PARTNER]


async def test_it_is_due_once_an_interval() -> None:
    """Within the interval there is no answer, and neither the partner's address nor the store is asked."""
    ground = Ground()
    await ground.refresh()
    reads = ground.partners.reads
    ground.clock.advance(REFRESH_INTERVAL_S - 0.1)
    assert await ground.refresh() is None
    assert (len(ground.published.asked), ground.partners.reads) == (1, reads)
    ground.clock.advance(0.1)
    assert await ground.refresh() == ground.kept()
    assert len(ground.published.asked) == 2


@pytest.mark.parametrize("failure", [REFUSAL, AddressRefused("not https")])
async def test_a_fetch_that_failed_counts(failure: LyncArchiverError) -> None:
    """The failure reaches who asked, the keys stay, and the next fetch is due an interval later."""
    ground = Ground()
    ground.published.failure = failure
    with pytest.raises(type(failure)):
        await ground.refresh()
    assert ground.kept() == PARTNER
    ground.published.failure = None
    assert await ground.refresh() is None
    ground.clock.advance(REFRESH_INTERVAL_S)
    assert await ground.refresh() == replace(PARTNER, keys=(KEY, NEXT))


async def test_each_partner_has_its_own_limit() -> None:
    """One partner's fetch, or that it fails, does not put off another's."""
    ground = Ground(PARTNER, OTHER)
    ground.published.failure = REFUSAL
    with pytest.raises(MetadataRefused):
        await ground.refresh()
    ground.published.failure = None
    assert await ground.refresher.refresh(OTHER.principal) == replace(OTHER, keys=(KEY, NEXT))


async def test_who_comes_during_a_fetch_shares_it() -> None:
    """However many ask at once, the source is asked once, and all get the partner with its new keys."""
    ground = Ground()
    waiting = await ground.waiting(5)
    ground.held.answering.set()
    assert await asyncio.gather(*waiting) == [replace(PARTNER, keys=(KEY, NEXT))] * 5
    assert len(ground.published.asked) == 1


async def test_who_comes_during_a_fetch_shares_its_failure() -> None:
    """Nobody who waited takes a refused document for one that is not due."""
    ground = Ground()
    ground.published.failure = REFUSAL
    waiting = await ground.waiting(3)
    ground.held.answering.set()
    assert await asyncio.gather(*waiting, return_exceptions=True) == [REFUSAL] * 3
    assert len(ground.published.asked) == 1


async def test_a_fetch_that_is_cancelled_counts() -> None:
    """Who waited for it gets no answer, not even that of an earlier one, and the source is not asked again."""
    ground = Ground()
    ground.held.answering.set()
    await ground.held_refresher.refresh(PARTNER.principal)
    ground.held.answering.clear()
    ground.held.asked.clear()
    ground.clock.advance(REFRESH_INTERVAL_S)
    first, *others = await ground.waiting(3)
    first.cancel()
    assert await asyncio.gather(*others) == [None, None]
    assert await ground.held_refresher.refresh(PARTNER.principal) is None
    assert first.cancelled()
    assert len(ground.published.asked) == 1


async def test_the_operator_does_not_wait_for_the_interval() -> None:
    """Forced, each call asks the source; and the interval begins anew with the latest."""
    ground = Ground()
    await ground.refresh()
    ground.published.keys = (NEXT, LAST)
    assert await ground.refresh(force=True) == replace(PARTNER, keys=(NEXT, LAST))
    assert await ground.refresh() is None
    waiting = await ground.waiting(2, force=True)
    ground.held.answering.set()
    assert await asyncio.gather(*waiting) == [replace(PARTNER, keys=(NEXT, LAST))] * 2
    assert len(ground.published.asked) == 4


async def test_keys_that_stay_are_not_written() -> None:
    """A change of keys makes commits under way begin anew, so the same keys in another order are none."""
    ground = Ground(replace(PARTNER, keys=(NEXT, KEY)))
    assert await ground.refresh() == replace(PARTNER, keys=(NEXT, KEY))
    assert ground.partners.publications == 0


async def test_a_key_that_is_published_no_more_is_gone() -> None:
    """The published keys replace the known ones, and do not add to them."""
    ground = Ground()
    ground.published.keys = (NEXT,)
    assert await ground.refresh() == replace(PARTNER, keys=(NEXT,))


async def test_a_partner_that_is_disabled_meanwhile_stays_disabled() -> None:
    """What the operator changes during a fetch is not undone by it, and the answer shows it."""
    ground = Ground()
    [waiting] = await ground.waiting(1)
    changed = replace(PARTNER, enabled=False, trust=TrustLevel.USER, roles=frozenset())
    await ground.partners.put(changed)
    ground.held.answering.set()
    assert await waiting == replace(changed, keys=(KEY, NEXT))
    assert ground.kept() == replace(changed, keys=(KEY, NEXT))


async def test_keys_of_the_former_address_are_not_taken() -> None:
    """Where another address is pinned during a fetch, the keys from the former one count for nothing."""
    ground = Ground()
    [waiting] = await ground.waiting(1)
    moved = replace(PARTNER, metadata_url="http://127.0.0.1/moved", keys=(LAST,))
    await ground.partners.put(moved)
    ground.held.answering.set()
    assert await waiting == moved
    assert ground.kept() == moved


async def test_nobody_fetches_for_strangers() -> None:
    """A principal that is no partner causes no request, and is forgotten: one that is added later is due at once."""
    ground = Ground(OTHER)
    assert await ground.refresh() is None
    assert await ground.refresh(force=True) is None
    assert ground.published.asked == []
    await ground.partners.put(PARTNER)
    assert await ground.refresh() == replace(PARTNER, keys=(KEY, NEXT))


async def test_only_the_operator_fetches_for_a_disabled_partner() -> None:
    """Tokens in the name of a disabled partner cause no request; its keys can be had before it is enabled again."""
    disabled = replace(PARTNER, enabled=False)
    ground = Ground(disabled)
    assert await ground.refresh() is None
    assert ground.published.asked == []
    assert await ground.refresh(force=True) == replace(disabled, keys=(KEY, NEXT))


async def test_a_store_that_is_away_costs_no_turn() -> None:
    """Where the partner cannot be read nothing was fetched, so the next call is due."""
    ground = Ground()
    ground.partners.failure = DependencyUnavailable("no primary")
    with pytest.raises(DependencyUnavailable):
        await ground.refresh()
    ground.partners.failure = None
    assert await ground.refresh() == replace(PARTNER, keys=(KEY, NEXT))


async def test_an_older_answer_does_not_bring_a_withdrawn_key_back() -> None:
    """Where another process published while one fetched, the one looks again: its own answer may be the older."""
    partners = MemoryPartners([PARTNER])
    source = Overtaken(lambda: partners.publish(PARTNER.principal, (NEXT, LAST)), (KEY, NEXT), (NEXT, LAST))
    refreshed = await Refresher(source, partners, ManualClock()).refresh(PARTNER.principal)
    assert refreshed == replace(PARTNER, keys=(NEXT, LAST))
    assert list(await partners.partners()) == [refreshed]


async def test_a_newer_answer_is_published_though_an_older_one_came_between() -> None:
    """An operator who refreshes gets what is published now, whoever else refreshes at that time."""
    partners = MemoryPartners([PARTNER])
    source = Overtaken(lambda: partners.publish(PARTNER.principal, (KEY, NEXT)), (NEXT, LAST), (NEXT, LAST))
    refreshed = await Refresher(source, partners, ManualClock()).refresh(PARTNER.principal, force=True)
    assert refreshed == replace(PARTNER, keys=(NEXT, LAST))
