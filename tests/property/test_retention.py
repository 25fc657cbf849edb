"""Purges and sweeps among commits, over generated histories. The docstring names the planted bugs that were caught."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.batch import LaneId
from consumers.content import CAUSES
from consumers.grant_keeper import GrantKeeper
from consumers.memory_retention import MemoryRetention
from consumers.policy.decision import Target
from consumers.policy.governing import Governing
from consumers.policy.subject import GLOBAL, Subject, SubjectKind
from consumers.purging import Purger
from consumers.sequences import count
from schemas.policies import (
    ArchivedSessions,
    ArchivingConfiguration,
    ArchivingPolicy,
    DirectoryUser,
    ExchangeArchiving,
    MailboxHold,
    PolicyValue,
)
from schemas.record import Record
from tests.builders import CONFERENCES, CONVERSATIONS
from tests.contract.store_contract import batch_of
from tests.property.histories import PEOPLE, streams
from tests.support.clock import START, ManualClock
from tests.support.trust import GRANT, ReadyAuthority, trusting

BEGIN_S: Final = 12 * 3600
"""Every event of a history is some hours old when the first of them comes."""

people: Final = st.sampled_from([person.sip for person in PEOPLE])
routes: Final = st.sampled_from(
    [
        ExchangeArchiving.TO_EXCHANGE,
        ExchangeArchiving.USE_LYNC,
        ExchangeArchiving.USE_LYNC,
        ExchangeArchiving.NO_ARCHIVING,
    ]
)
accounts: Final = st.fixed_dictionaries(
    {
        person.sip: st.builds(DirectoryUser, exchange_archiving=routes, conversation_history=st.booleans())
        for person in PEOPLE
    }
)
steps: Final = st.one_of(
    st.tuples(st.just("commit"), st.sampled_from([CONVERSATIONS, CONFERENCES]), st.integers(1, 9)),
    st.tuples(st.just("commit"), st.sampled_from([CONVERSATIONS, CONFERENCES]), st.integers(1, 9)),
    st.tuples(st.just("manual"), st.sampled_from([0, 11.9, 13]), st.sampled_from([None, 1, 2]), st.booleans()),
    st.tuples(st.just("daily")),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("delete"), people),
    st.tuples(st.just("hold"), people, st.booleans()),
    st.tuples(st.just("export"), people),
    st.tuples(st.just("advance"), st.sampled_from([1, 6, 24])),
)


class Unraced(ManualClock):
    """Nobody comes in between here: whoever waits would wait for ever."""

    async def sleep(self, delay_s: float) -> None:
        raise AssertionError(f"waits {delay_s} s for a race that nobody runs")


class World:
    """An archive, what is still to come to it, and in the plainest words what may not be deleted."""

    def __init__(self, arriving: dict[LaneId, list[Record]]) -> None:
        self.clock = Unraced()
        self.store = MemoryRetention(self.clock, trusting())
        self.governing = Governing(self.store)
        self.purger = Purger(self.store, GrantKeeper(ReadyAuthority(), self.clock), self.clock)
        self.arriving = arriving
        self.read = 0
        self.held: set[str] = set()
        self.exported: dict[str, int] = {}
        self.gone: set[str] = set()

    async def govern(self, users: dict[str, DirectoryUser], configuration: ArchivingConfiguration) -> None:
        self.configuration = configuration
        values: dict[Subject, PolicyValue | None] = {
            Subject(SubjectKind.CONFIGURATION, GLOBAL): configuration,
            Subject(SubjectKind.POLICY, GLOBAL): ArchivingPolicy(archive_internal=True, archive_external=True),
            **{Subject(SubjectKind.USER, sip): user for sip, user in users.items()},
        }
        await self.store.policies.change(GRANT, values, START - timedelta(days=1))
        self.clock.advance(BEGIN_S)

    async def commit(self, lane: LaneId, size: int) -> None:
        run, self.arriving[lane] = self.arriving[lane][:size], self.arriving[lane][size:]
        if run:
            await self.governing.refresh()
            await self.store.commit(GRANT, await batch_of(self.store, run, lane, self.governing.current))
            self.read += len(run)

    async def manual(self, older_than_h: float, copies_max: int | None, exported_only: bool) -> None:
        before = self.copies()
        tally = await self.purger.manual(older_than_h, copies_max=copies_max, exported_only=exported_only)
        lost = self.lost(before, timedelta(hours=older_than_h), exported_only=exported_only)
        assert tally.purged == len(lost)
        assert copies_max is None or len(lost) <= copies_max

    async def daily(self) -> None:
        before, configuration = self.copies(), self.configuration
        await self.purger.daily(at_once=True)
        limit = timedelta(days=configuration.keep_archiving_data_for_days)
        lost = self.lost(before, limit, exported_only=configuration.purge_exported_archives_only)
        assert not lost or configuration.enable_purging

    async def sweep(self) -> None:
        before, stored = self.copies(), self.store.conversations()
        await self.purger.sweep()
        assert self.copies() == before
        for name, found in self.store.conversations().items():
            if found.removed and not stored[name].removed:
                assert stored[name].purged or (stored[name].kind == "conference" and not stored[name].kept)

    async def delete(self, sip: str) -> None:
        for item in self.store.items(sip):
            await self.store.delete(GRANT, sip, item.id)

    async def hold(self, sip: str, held: bool) -> None:
        await self.store.policies.change(GRANT, {Subject(SubjectKind.HOLD, sip): MailboxHold(held=held)}, self.now)
        (self.held.add if held else self.held.discard)(sip)

    async def export(self, sip: str) -> None:
        events = Counter(name for name in self.store.conversations() for _ in self.store.segments(name))
        mine = {one.item.id: events[one.item.conversation] for one in self.store.copies() if one.item.mailbox == sip}
        await self.store.mark_exported(GRANT, mine)
        self.exported |= mine

    async def advance(self, hours: int) -> None:
        self.clock.advance(hours * 3600)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def copies(self) -> dict[str, tuple[str, Target, datetime, int]]:
        """Return of each copy its owner, its target, and the time and number of what is there of its conversation."""
        found = {}
        for one in self.store.copies():
            name = one.item.conversation
            last = self.store.events(name)[-1]
            found[one.item.id] = (one.item.mailbox, one.target, last.moment, len(self.store.segments(name)))
        return found

    def lost(self, before: dict[str, Any], limit: timedelta, *, exported_only: bool) -> set[str]:
        """Return the copies that are gone, each of which may be."""
        gone = before.keys() - self.copies().keys()
        for name in gone:
            owner, target, last, segments = before[name]
            assert target is Target.LYNC
            assert owner not in self.held
            assert last + limit < self.now
            assert not exported_only or self.exported.get(name) == segments
        self.gone |= gone
        return gone

    def check(self) -> None:
        """Every record is counted once, what is held is there or removed, and nothing that was purged is back."""
        counts = [point.counts for point in self.store.checkpoints().values()]
        assert sum(one.total for one in counts) == self.read
        assert sum(one.quarantined for one in counts) == len(self.store.quarantine())
        stored = self.store.conversations()
        stubs = sum(entry.cause in CAUSES.values() for entry in self.store.quarantine())
        assert sum(count(found.held) for found in stored.values()) == sum(one.archived for one in counts) + stubs
        for name, found in stored.items():
            assert len(self.store.events(name)) == (0 if found.removed else count(found.held))
        removed = {name for name, found in stored.items() if found.removed}
        assert not removed.intersection(one.item.conversation for one in self.store.copies())
        assert not removed.intersection(one.conversation for one in self.store.items())
        assert not self.gone.intersection(one.item.id for one in self.store.copies())


@settings(max_examples=200, deadline=None)
@given(streams(), accounts, st.sets(people), st.booleans(), st.booleans(), st.lists(steps, max_size=25))
async def test_nothing_that_is_claimed_is_deleted(
    arriving: dict[LaneId, list[Record]],
    users: dict[str, DirectoryUser],
    held: set[str],
    enabled: bool,
    only: bool,
    played: list[Any],
) -> None:
    """Whatever the order, held, young, unexported and Exchange's copies stay, and so does what anybody still sees.

    Planted: holds that purges do not ask for; a purged copy that comes back with a later event; the content of
    a conversation freed though a user sees it; events of a removed conversation archived as new; an age taken from
    the first event instead of the last; a limit of copies passed within one conversation; an export that counts though
    something came since.
    """
    world = World(dict(arriving))
    await world.govern(
        users,
        ArchivingConfiguration(
            enable_archiving=ArchivedSessions.IM_AND_WEB_CONF,
            enable_exchange_archiving=True,
            enable_purging=enabled,
            keep_archiving_data_for_days=1,
            purge_exported_archives_only=only,
            cache_purging_interval_h=4,
        ),
    )
    exports = [("export", sip) for sip in sorted(users)]
    first: list[Any] = [*(("commit", lane, 6) for lane in world.arriving), *exports, ("manual", 0, 1, False)]
    purges = [(hours, None, marked) for hours in (13, 11.9) for marked in (True, False)]
    rest: list[Any] = [*(("commit", lane, 1000) for lane in world.arriving), *(("manual", *facts) for facts in purges)]
    rest += [("daily",), ("manual", 0, None, False)]
    for name, *facts in [*(("hold", sip, True) for sip in sorted(held)), *first, *played, *rest, ("sweep",)]:
        visible = {item.id for item in world.store.items()}
        await getattr(world, name)(*facts)
        assert name == "delete" or visible <= {item.id for item in world.store.items()}
        world.check()
