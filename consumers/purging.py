"""Sweeping and purging: one conversation after another, each in a transaction of its own, so that it can stop anywhere.

What is done is gone, and what is not is found again: stopped or killed, the same call goes on from there.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from consumers.grant import GrantRefused
from consumers.grant_keeper import GrantKeeper
from consumers.policy.decision import Switches
from consumers.policy.governance import AS_READ
from consumers.policy.governing import Governing
from consumers.policy.ports import Purge, Reason, RetentionStore, Unclaimed
from consumers.policy.retention import (
    EVER,
    DailyRule,
    ManualRule,
    Remains,
    Rule,
    Verdict,
    remaining_verdict,
    sweep_verdict,
)
from consumers.ports import Stale
from consumers.stopping import unless_stopped
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable

PAGE: Final = 100
"""Conversations looked at together."""

GIVE_UP_S: Final = 120.0
"""How long one conversation is tried: as long as MongoDB may keep what a killed process left open, and then some."""

RETRY_S: Final = 0.05
PAUSE_S_MAX: Final = 5.0
"""The first pause between tries, and the longest."""


@dataclass(slots=True)
class Tally:
    """What a run came to: conversations looked at, copies purged, conversations removed, and why the others stay.

    `kept` counts copies of a purge, and conversations of a sweep.
    """

    looked: int = 0
    purged: int = 0
    removed: int = 0
    kept: Counter[Verdict] = field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        """Return the counts by name."""
        kept = {str(verdict): self.kept[verdict] for verdict in sorted(self.kept)}
        return {"looked": self.looked, "purged": self.purged, "removed": self.removed, "kept": kept}


class Plan(NamedTuple):
    """What is to become of one conversation: whose copies go, whether its content does, and why the rest stays."""

    mailboxes: tuple[str, ...]
    frees: bool
    reason: Reason
    kept: tuple[Verdict, ...] = ()


Planner = Callable[[Remains], Plan]


class Purger:
    """Deletes what policies have deleted, until `stop` is set. Archivers may run meanwhile, and other purges.

    Every run raises Stale, GrantRefused or another DependencyUnavailable where trying again does not help: what was
    committed by then stays. With `dry_run` nothing is deleted, and the tally is what would be. Where there is no
    policy nothing is ever deleted.
    """

    def __init__(
        self,
        store: RetentionStore,
        grants: GrantKeeper,
        clock: Clock,
        switches: Switches = AS_READ,
        stop: asyncio.Event | None = None,
    ) -> None:
        self._store = store
        self._governing = Governing(store, switches)
        self._grants = grants
        self._clock = clock
        self._switches = switches
        self._stop = stop or asyncio.Event()

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    async def unless_stopped(self, work: Awaitable[None]) -> None:
        """Wait for this, and no longer once it is told to stop."""
        await unless_stopped(self._stop, work)

    async def sweep(self, *, dry_run: bool = False) -> Tally:
        """Remove meetings that nobody's policy keeps, and what purges left to users who have deleted it since."""
        tally = Tally()
        if not await self._governed():
            return tally
        for which, plan in ((Unclaimed.UNKEPT, self._plan_sweep), (Unclaimed.PURGED, _plan_rest)):
            after = ""
            while not self._stop.is_set() and (page := await self._store.unclaimed(which, after, PAGE)):
                for remains in page:
                    await self._settle(remains, plan, tally, dry_run=dry_run)
                after = page[-1].conversation.id
        return tally

    async def daily(self, *, at_once: bool = False, dry_run: bool = False) -> Tally:
        """Purge by EnablePurging whatever is due by its PurgeHourOfDay, or with `at_once` whatever the hour is."""
        tally, began = Tally(), self._clock.now()
        if not await self._governed():
            return tally
        since = EVER if at_once else await self._store.daily_ran()

        def rule() -> DailyRule:
            return DailyRule(self._governing.current.book, self._clock.now(), since, self._switches)

        before = rule().before
        if before is None:
            return tally
        await self._purge(before, lambda remains: _plan_purge(rule(), remains), tally, dry_run=dry_run)
        if not dry_run and not self._stop.is_set():
            await self._store.note_daily(began)
        return tally

    async def manual(
        self,
        older_than_h: float,
        *,
        exported_only: bool = False,
        copies_max: int | None = None,
        dry_run: bool = False,
    ) -> Tally:
        """Purge what is older than so many hours, at most so many copies, those first whose conversation began first.

        EnablePurging plays no part, holds do.
        """
        tally = Tally()
        if not await self._governed():
            return tally

        def plan(remains: Remains) -> Plan:
            rule = ManualRule(self._governing.current.book, self._clock.now(), older_than_h, exported_only)
            return _plan_purge(rule, remains, None if copies_max is None else copies_max - tally.purged)

        before = ManualRule(self._governing.current.book, self._clock.now(), older_than_h).before
        await self._purge(before, plan, tally, dry_run=dry_run, copies_max=copies_max)
        return tally

    async def _governed(self) -> bool:
        await self._governing.refresh()
        return self._governing.current.book.number > 0

    async def _purge(
        self, before: datetime, plan: Planner, tally: Tally, *, dry_run: bool, copies_max: int | None = None
    ) -> None:
        after: tuple[datetime | None, str] | None = None
        while page := await self._store.archived(before, after, PAGE):
            for remains in page:
                if self._stop.is_set() or (copies_max is not None and tally.purged >= copies_max):
                    return
                await self._settle(remains, plan, tally, dry_run=dry_run)
            after = page[-1].started, page[-1].conversation.id

    def _plan_sweep(self, remains: Remains) -> Plan:
        verdict = sweep_verdict(self._governing.current.book, remains, self._clock.now())
        return _plan_removal(verdict, Reason.SWEEP)

    async def _settle(self, remains: Remains, plan: Planner, tally: Tally, *, dry_run: bool) -> None:
        """Do what is planned for one conversation; after any doubt, look at it again and plan anew."""
        if self._stop.is_set():
            return
        tally.looked += 1
        give_up, pause_s = self._clock.monotonic() + GIVE_UP_S, RETRY_S
        while True:
            planned = plan(remains)
            if dry_run or not (planned.mailboxes or planned.frees):
                break
            try:
                await self._commit(remains, planned)
                break
            except (Stale, DependencyUnavailable):
                if self._clock.monotonic() >= give_up:
                    raise
            await unless_stopped(self._stop, self._clock.sleep(pause_s))
            pause_s = min(2 * pause_s, PAUSE_S_MAX)
            if self._stop.is_set():
                return
            again = await self._looked(remains)
            if again is None:
                break  # the try whose outcome was not heard of did it, or somebody else
            left = {copy.mailbox for copy in again.copies}
            tally.purged += sum(mailbox not in left for mailbox in planned.mailboxes)
            remains = again
        tally.purged += len(planned.mailboxes)
        tally.removed += planned.frees
        tally.kept.update(planned.kept)

    async def _looked(self, remains: Remains) -> Remains | None:
        await self._governing.refresh()
        return await self._store.look(remains.conversation.id)

    async def _commit(self, remains: Remains, planned: Plan) -> None:
        conversation = remains.conversation
        grant = await self._grants.current()
        purge = Purge(
            conversation=conversation.id,
            revision=conversation.revision,
            policies=self._governing.current.book.number,
            mailboxes=planned.mailboxes,
            frees=planned.frees,
            reason=planned.reason,
        )
        try:
            await self._store.purge(grant, purge)
        except GrantRefused:
            self._grants.forget(grant)
            raise


def _plan_purge(rule: Rule, remains: Remains, room: int | None = None) -> Plan:
    """Plan for the copies of one conversation, of which at most `room` may go; its content goes with the last claim."""
    verdicts = [(copy, rule.verdict(copy, remains.conversation)) for copy in remains.copies]
    gone = [copy.mailbox for copy, verdict in verdicts if verdict is Verdict.TAKEN][:room]
    left = tuple(copy for copy in remains.copies if copy.mailbox not in gone)
    frees = bool(gone) and remaining_verdict(remains._replace(copies=left)) is Verdict.TAKEN
    kept = tuple(verdict for _, verdict in verdicts if verdict is not Verdict.TAKEN)
    return Plan(tuple(sorted(gone)), frees, Reason.PURGE, kept)


def _plan_rest(remains: Remains) -> Plan:
    return _plan_removal(remaining_verdict(remains), Reason.PURGE)


def _plan_removal(verdict: Verdict, reason: Reason) -> Plan:
    taken = verdict is Verdict.TAKEN
    return Plan((), taken, reason, () if taken else (verdict,))
