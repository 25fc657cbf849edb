"""Runs of sweeps and purges on the memory store: what they take, what they say, and how they go on."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest

from consumers.grant import Grant, GrantRefused
from consumers.grant_keeper import GrantKeeper
from consumers.memory_retention import MemoryRetention
from consumers.policy.decision import Target
from consumers.policy.ports import Purge
from consumers.policy.retention import Verdict
from consumers.policy.subject import GLOBAL, Subject, SubjectKind
from consumers.ports import Stale
from consumers.purging import GIVE_UP_S, Purger, Tally
from schemas.errors import DependencyUnavailable
from schemas.events import Participant
from schemas.policies import (
    ArchivedSessions,
    ArchivingConfiguration,
    ArchivingPolicy,
    DirectoryUser,
    ExchangeArchiving,
    MailboxHold,
    PolicyValue,
)
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    CONVERSATIONS,
    activated,
    adjourned,
    entered,
    message,
    record,
    said,
    started,
)
from tests.contract.policy_contract import targets
from tests.contract.retention_contract import Retained
from tests.support.clock import START, ManualClock
from tests.support.faulty import Fault, When
from tests.support.trust import GRANT, ReadyAuthority, trusting
from tests.unit.consumers.test_memory_store import MemoryStored

DAY_S = 86400


class FaultyRetention(MemoryRetention):
    """Purges fail as `script` says, one entry a purge; None is one that works.

    `before` and `after` are awaited before and after each that does not fail before it began.
    """

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock, trusting())
        self.script: list[Fault | None] = []
        self.before: Callable[[], Awaitable[None]] | None = None
        self.after: Callable[[], Awaitable[None]] | None = None
        self.tried = 0

    async def purge(self, grant: Grant, purge: Purge) -> None:
        self.tried += 1
        fault = self.script.pop(0) if self.script else None
        if fault is not None and fault.when is When.BEFORE:
            raise fault.error
        if self.before is not None:
            await self.before()
        await super().purge(grant, purge)
        if self.after is not None:
            await self.after()
        if fault is not None:
            raise fault.error


class Ground:
    """An archive in memory: Alice is archived in Exchange, Bob and Carol in Lync; nobody keeps a history."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = FaultyRetention(self.clock)
        self.stop = asyncio.Event()
        store = self.store
        self.retained = Retained(store, store, store.policies, trusting(), store, MemoryStored(store), self.clock)
        self.purger = Purger(store, GrantKeeper(ReadyAuthority(), self.clock), self.clock, stop=self.stop)

    async def govern(self, *, history: bool = False, **configuration: Any) -> None:
        users = {
            ALICE.sip: DirectoryUser(exchange_archiving=ExchangeArchiving.TO_EXCHANGE, conversation_history=history),
            BOB.sip: DirectoryUser(conversation_history=history),
            CAROL.sip: DirectoryUser(conversation_history=history),
        }
        values: dict[Subject, PolicyValue | None] = {
            Subject(SubjectKind.CONFIGURATION, GLOBAL): ArchivingConfiguration(
                enable_archiving=ArchivedSessions.IM_AND_WEB_CONF, enable_exchange_archiving=True, **configuration
            ),
            Subject(SubjectKind.POLICY, GLOBAL): ArchivingPolicy(archive_internal=True),
            **{Subject(SubjectKind.USER, sip): user for sip, user in users.items()},
        }
        await self.store.policies.change(GRANT, values, START)

    async def hold(self, who: Participant, *, held: bool = True) -> None:
        value = MailboxHold(held=held)
        await self.store.policies.change(GRANT, {Subject(SubjectKind.HOLD, who.sip): value}, self.clock.now())

    async def talk(self, name: str, *people: Participant, day: float) -> None:
        """Archive a conversation that began, and was over, so many days after the start."""
        steps = [started(*people, conversation=name), message(people[0], "hello", name)]
        records = [record(number, step, at_s=day * DAY_S + number) for number, step in enumerate(steps, 1)]
        await self.retained.archive_records(records)

    async def advance_through(self, run: Any) -> Tally:
        task = asyncio.ensure_future(run)
        await self.clock.advance_through(task)
        tally: Tally = await task
        return tally

    def left(self) -> list[tuple[str, str]]:
        """Return whose copies of what there are."""
        return [(copy.item.conversation, copy.item.mailbox) for copy in self.store.copies()]

    def removed(self) -> list[str]:
        return [name for name, found in self.store.conversations().items() if found.removed]


@pytest.fixture
def ground() -> Ground:
    return Ground()


def of(*pairs: tuple[str, Iterable[Participant]]) -> list[tuple[str, str]]:
    return sorted(((name, who.sip) for name, people in pairs for who in people), key=lambda pair: (pair[1], pair[0]))


async def test_a_daily_purge_takes_what_is_old(ground: Ground) -> None:
    """Lync's copies past their days go, with the content that nobody else has; Exchange's, young and held ones stay."""
    await ground.govern(enable_purging=True, keep_archiving_data_for_days=7)
    await ground.talk("c1", BOB, CAROL, day=0)
    await ground.talk("c2", ALICE, BOB, day=1)
    await ground.talk("c3", BOB, CAROL, day=9)
    ground.clock.advance(10 * DAY_S)
    await ground.hold(CAROL)
    seen = await ground.purger.daily(dry_run=True)
    tally = await ground.purger.daily()
    assert tally == seen
    assert ground.left() == of(("c1", [CAROL]), ("c2", [ALICE]), ("c3", [BOB, CAROL]))
    assert tally == Tally(2, 2, 0, tally.kept)
    assert tally.kept == {Verdict.HELD: 1, Verdict.EXCHANGE: 1}
    ground.clock.advance(DAY_S)
    await ground.hold(CAROL, held=False)
    assert (await ground.purger.daily()).document() == {"looked": 1, "purged": 1, "removed": 1, "kept": {}}
    assert ground.removed() == ["c1"]
    assert ground.store.events("c1") == []


async def test_a_daily_purge_runs_once_a_day(ground: Ground) -> None:
    """At or after the hour, and again on the next day; `at_once` at any time; a dry run does not count."""
    await ground.govern(enable_purging=True, keep_archiving_data_for_days=1, purge_hour_of_day=10)
    await ground.talk("c1", BOB, CAROL, day=0)
    await ground.talk("c2", BOB, CAROL, day=1)
    ground.clock.advance(1.5 * DAY_S)  # 21:00 of the second day
    assert (await ground.purger.daily(dry_run=True)).purged == 2
    assert (await ground.purger.daily()).purged == 2
    assert await ground.store.daily_ran() == ground.clock.now()
    ground.clock.advance(0.5 * DAY_S + 600)  # 9:10
    assert await ground.purger.daily() == Tally()
    assert (await ground.purger.daily(at_once=True, dry_run=True)).purged == 2
    ground.clock.advance(3600)
    assert (await ground.purger.daily()).purged == 2


async def test_nothing_is_deleted_without_policies(ground: Ground) -> None:
    """Neither by a sweep nor by a purge, however it is asked for."""
    await ground.retained.archive(activated(), entered(BOB), adjourned(3))
    ground.clock.advance(5000 * DAY_S)
    assert await ground.purger.sweep() == Tally()
    assert await ground.purger.daily(at_once=True) == Tally()
    assert await ground.purger.manual(0) == Tally()
    assert ground.store.tried == 0


async def test_a_manual_purge_takes_the_oldest_first(ground: Ground) -> None:
    """At most so many copies, though EnablePurging is off; a conversation may keep some of its copies."""
    await ground.govern()
    for name, day in (("c3", 0), ("c2", 1), ("c1", 2)):
        await ground.talk(name, BOB, CAROL, day=day)
    ground.clock.advance(3 * DAY_S)
    assert (await ground.purger.manual(24, copies_max=3, dry_run=True)).purged == 3
    tally = await ground.purger.manual(24, copies_max=3)
    assert (tally.purged, tally.removed) == (3, 1)
    assert ground.removed() == ["c3"]
    (left,) = [owner for name, owner in ground.left() if name == "c2"]
    assert (await ground.purger.manual(24, copies_max=9)).purged == 1
    assert ("c2", left) not in ground.left()
    assert ground.left() == of(("c1", [BOB, CAROL]))  # two seconds short of a day


async def test_a_manual_purge_of_what_was_exported(ground: Ground) -> None:
    """With `exported_only` the others stay."""
    await ground.govern()
    await ground.talk("c1", BOB, CAROL, day=0)
    await ground.talk("c2", BOB, CAROL, day=0)
    ids = {copy.item.id: 1 for copy in ground.store.copies() if copy.item.conversation == "c2"}
    await ground.store.mark_exported(GRANT, ids)
    ground.clock.advance(2 * DAY_S)
    tally = await ground.purger.manual(1, exported_only=True)
    assert (tally.purged, tally.removed, tally.kept) == (2, 1, {Verdict.UNEXPORTED: 2})
    assert ground.removed() == ["c2"]


async def test_a_sweep_takes_meetings_that_nobody_keeps(ground: Ground) -> None:
    """One enabled participant keeps the whole; without any it is gone after CachePurgingInterval, unless seen."""
    await ground.govern(cache_purging_interval_h=4)
    users = {Subject(SubjectKind.USER, f"sip:{name}@contoso.com"): _nowhere(name) for name in ("x", "y", "z")}
    await ground.store.policies.change(GRANT, users, START)
    x, y, z = (Participant(sip=subject.identity, name=subject.identity) for subject in users)
    await ground.retained.archive(activated("m1"), *(entered(who, "m1") for who in (x, y, BOB)), adjourned(5, "m1"))
    await ground.retained.archive(activated("m2"), *(entered(who, "m2") for who in (x, y)), adjourned(4, "m2"))
    await ground.retained.archive(activated("m3"), entered(z, "m3"), said(z, "mine", "m3"), adjourned(4, "m3"))
    assert (await ground.purger.sweep()).kept == {Verdict.YOUNG: 2}
    ground.clock.advance(4 * 3600 + 10)
    tally = await ground.purger.sweep()
    assert (tally.removed, tally.kept) == (1, {Verdict.SEEN: 1})
    assert ground.removed() == ["m2"]
    await ground.retained.delete_items(z.sip)
    assert (await ground.purger.sweep()).removed == 1
    assert ground.removed() == ["m2", "m3"]
    assert targets(ground.store.copies()) == {BOB.sip: Target.LYNC}


def _nowhere(name: str) -> DirectoryUser:
    """Return a user who is archived nowhere, and of whom z alone keeps a history."""
    return DirectoryUser(exchange_archiving=ExchangeArchiving.NO_ARCHIVING, conversation_history=name == "z")


async def test_a_sweep_ends_what_a_purge_left_to_users(ground: Ground) -> None:
    """What users still see stays when its copies are purged, and goes once they deleted it."""
    await ground.govern(history=True)
    await ground.talk("c1", BOB, CAROL, day=0)
    ground.clock.advance(DAY_S)
    tally = await ground.purger.manual(1)
    assert (tally.purged, tally.removed) == (2, 0)
    assert (await ground.purger.sweep()).kept == {Verdict.SEEN: 1}
    await ground.retained.delete_items(BOB.sip, CAROL.sip)
    assert (await ground.purger.sweep()).removed == 1
    assert ground.removed() == ["c1"]
    assert [purge.reason for purge in ground.store.purges] == ["purge", "purge"]


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("error", [DependencyUnavailable("down"), Stale("raced"), GrantRefused("over")])
async def test_a_purge_of_unknown_outcome_is_made_up_for(ground: Ground, when: When, error: Exception) -> None:
    """Whether it came to pass or not, each copy is counted once, and the limit holds."""
    await ground.govern()
    for number in range(3):
        await ground.talk(f"c{number}", BOB, CAROL, day=number)
    ground.clock.advance(9 * DAY_S)
    ground.store.script = [Fault(error, when), None, Fault(error, when)]
    tally = await ground.advance_through(ground.purger.manual(1, copies_max=5))
    assert (tally.purged, tally.removed, len(ground.left())) == (5, 2, 1)


async def test_a_hold_that_comes_meanwhile_is_heeded(ground: Ground) -> None:
    """A purge that the store refuses as decided by older policies is decided anew."""
    await ground.govern()
    await ground.talk("c1", BOB, CAROL, day=0)
    ground.clock.advance(DAY_S)

    async def hold() -> None:
        ground.store.before = None
        await ground.hold(BOB)

    ground.store.before = hold
    tally = await ground.advance_through(ground.purger.manual(1))
    assert (tally.purged, tally.removed, tally.kept) == (1, 0, {Verdict.HELD: 1})
    assert ground.left() == of(("c1", [BOB]))


async def test_a_store_that_stays_away_ends_the_run(ground: Ground) -> None:
    """After two minutes of one conversation; what was purged by then stays purged."""
    await ground.govern()
    for number in range(2):
        await ground.talk(f"c{number}", BOB, CAROL, day=number)
    ground.clock.advance(9 * DAY_S)
    ground.store.script = [None, *[Fault(DependencyUnavailable("down"))] * 1000]
    began = ground.clock.monotonic()
    with pytest.raises(DependencyUnavailable):
        await ground.advance_through(ground.purger.manual(1))
    assert ground.clock.monotonic() - began >= GIVE_UP_S
    assert ground.removed() == ["c0"]


async def test_a_run_that_is_stopped_goes_on_later(ground: Ground) -> None:
    """It ends between conversations, is not noted as a daily run, and the next one does the rest."""
    await ground.govern(enable_purging=True, keep_archiving_data_for_days=1)
    for number in range(3):
        await ground.talk(f"c{number}", BOB, CAROL, day=0)
    ground.clock.advance(9 * DAY_S)

    async def stop() -> None:
        ground.stop.set()

    ground.store.after = stop
    assert (await ground.purger.daily()).removed == 1
    assert await ground.store.daily_ran() is None
    ground.stop.clear()
    ground.store.after = None
    assert (await ground.purger.daily()).removed == 2
    checkpoint = await ground.store.checkpoint(CONVERSATIONS)
    assert checkpoint is not None
    assert checkpoint.counts.archived == 6
