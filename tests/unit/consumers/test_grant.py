"""Grants, and the keeper that renews them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from consumers.grant import ARCHIVE_ROLE, Grant, GrantRefused
from consumers.grant_keeper import RENEW_AT, RETRY_S, GrantKeeper
from schemas.errors import DependencyUnavailable, LyncArchiverError, Misconfigured
from tests.support.clock import START, ManualClock
from tests.support.trust import GRANT as TRUSTED

GRANT = replace(TRUSTED, expires_at=START + timedelta(seconds=60))
GRANT_LIFE_S = 3600


class OpenAuthority:
    """Opens a grant for an hour to whoever asks."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    async def open(self) -> Grant:
        return replace(TRUSTED, expires_at=self._clock.now() + timedelta(seconds=GRANT_LIFE_S))


class SlowAuthority:
    """Counts what it is asked, and answers once it is let."""

    def __init__(self, clock: ManualClock) -> None:
        self._authority = OpenAuthority(clock)
        self.asked = asyncio.Event()
        self.answering = asyncio.Event()
        self.opened = 0

    async def open(self) -> Grant:
        self.opened += 1
        self.asked.set()
        await self.answering.wait()
        return await self._authority.open()


class RefusingAuthority:
    """Opens these grants and no other."""

    def __init__(self, *grants: Grant, error: LyncArchiverError | None = None) -> None:
        self._grants = list(grants)
        self._error = error or GrantRefused("no more")
        self.asked = 0

    async def open(self) -> Grant:
        self.asked += 1
        if not self._grants:
            raise self._error
        return self._grants.pop()


def test_a_grant_is_good_until_it_expires() -> None:
    """A grant works up to its last instant, and not at it."""
    GRANT.check(START + timedelta(seconds=59.9))
    for late in (60, 61):
        with pytest.raises(GrantRefused, match="expired"):
            GRANT.check(START + timedelta(seconds=late))


def test_a_grant_without_the_role_is_refused() -> None:
    """Another application role gives no leave to archive."""
    with pytest.raises(GrantRefused, match=ARCHIVE_ROLE):
        replace(GRANT, roles=frozenset({"UserApplication"})).check(START)


async def test_the_keeper_opens_once_and_renews_before_the_end() -> None:
    """One grant serves for most of its life; then another is opened."""
    clock = ManualClock()
    keeper = GrantKeeper(OpenAuthority(clock), clock)
    first = await keeper.current()
    clock.advance(GRANT_LIFE_S * RENEW_AT - 1)
    assert await keeper.current() is first
    clock.advance(1)
    second = await keeper.current()
    assert second.expires_at == clock.now() + timedelta(seconds=GRANT_LIFE_S)


async def test_lanes_that_ask_at_once_share_one_renewal() -> None:
    """However many lanes wait for a grant, the authority is asked once."""
    clock = ManualClock()
    authority = SlowAuthority(clock)
    keeper = GrantKeeper(authority, clock)
    waiting = [asyncio.ensure_future(keeper.current()) for _ in range(5)]
    await authority.asked.wait()
    authority.answering.set()
    grants = await asyncio.gather(*waiting)
    assert authority.opened == 1
    assert all(grant is grants[0] for grant in grants)


async def test_a_slow_renewal_holds_up_nobody_but_who_asks() -> None:
    """While one lane renews, the others go on with the old grant for as long as it lives, and no longer."""
    clock = ManualClock()
    authority = SlowAuthority(clock)
    authority.answering.set()
    keeper = GrantKeeper(authority, clock)
    first = await keeper.current()
    authority.asked.clear()
    authority.answering.clear()
    clock.advance(GRANT_LIFE_S * RENEW_AT)
    renewing = asyncio.ensure_future(keeper.current())
    await authority.asked.wait()
    async with asyncio.timeout(5):
        assert await keeper.current() is first
    clock.advance(GRANT_LIFE_S)
    waiting = asyncio.ensure_future(keeper.current())
    authority.answering.set()
    assert await renewing is await waiting is not first
    assert authority.opened == 2


async def test_a_grant_serves_to_its_end_while_no_other_can_be_had() -> None:
    """A renewal that is refused stops nobody before the old grant is over; then the refusal reaches who asks."""
    clock = ManualClock()
    authority = RefusingAuthority(GRANT)
    keeper = GrantKeeper(authority, clock)
    assert await keeper.current() is GRANT
    clock.advance(50)
    assert await keeper.current() is GRANT
    assert authority.asked == 2
    assert await keeper.current() is GRANT
    assert authority.asked == 2  # not before RETRY_S
    clock.advance(RETRY_S)
    assert await keeper.current() is GRANT
    assert authority.asked == 3
    clock.advance(5)
    with pytest.raises(GrantRefused):
        await keeper.current()


async def test_settings_that_served_once_are_waited_for() -> None:
    """Where the issuer no longer knows us, the grant serves to its end, and then lanes wait rather than stop."""
    clock = ManualClock()
    keeper = GrantKeeper(RefusingAuthority(GRANT, error=Misconfigured("we are unknown")), clock)
    assert await keeper.current() is GRANT
    clock.advance(50)
    assert await keeper.current() is GRANT
    clock.advance(10)
    with pytest.raises(DependencyUnavailable, match="we are unknown"):
        await keeper.current()


async def test_settings_that_never_served_are_wrong() -> None:
    """Where the issuer does not know us from the start, the operator is told."""
    with pytest.raises(Misconfigured, match="we are unknown"):
        await GrantKeeper(RefusingAuthority(error=Misconfigured("we are unknown")), ManualClock()).current()


async def test_a_grant_that_was_refused_is_not_handed_out_again() -> None:
    """After a write was refused, the next one asks the authority anew, however long the grant would have lived."""
    clock = ManualClock()
    keeper = GrantKeeper(OpenAuthority(clock), clock)
    first = await keeper.current()
    keeper.forget(first)
    second = await keeper.current()
    assert second is not first
    keeper.forget(first)
    assert await keeper.current() is second


async def test_a_clock_that_is_set_back_makes_no_grant_last_longer() -> None:
    """A grant is over after the life that it had when it was opened, whatever the wall clock says by then."""
    clock = ManualClock()
    authority = RefusingAuthority(GRANT)
    keeper = GrantKeeper(authority, clock)
    assert await keeper.current() is GRANT
    clock.set_back(7200)
    clock.advance(60 * RENEW_AT)
    assert await keeper.current() is GRANT
    assert authority.asked == 2
    clock.advance(60 * (1 - RENEW_AT))
    assert not keeper.alive
    with pytest.raises(GrantRefused):
        await keeper.current()
