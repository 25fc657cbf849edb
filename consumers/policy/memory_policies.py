"""Policies in memory: the reference `PolicyStore`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from consumers.grant import Grant
from consumers.policy.book import Change
from consumers.policy.ports import check_time
from consumers.policy.subject import Subject
from consumers.tokens.memory_partners import MemoryPartners
from consumers.tokens.trust import check_trust
from schemas.clock import Clock
from schemas.policies import PolicyValue


class MemoryPolicies:
    """The `PolicyStore` in a list. `reached` returns the latest event time of all lanes, None where there is none."""

    def __init__(self, clock: Clock, partners: MemoryPartners, reached: Callable[[], datetime | None]) -> None:
        self._clock = clock
        self._partners = partners
        self._reached = reached
        self._changes: list[Change] = []

    async def history(self) -> Sequence[Change]:
        return tuple(self._changes)

    async def change(
        self, grant: Grant, values: Mapping[Subject, PolicyValue | None], effective_at: datetime
    ) -> Sequence[Change]:
        now = self._clock.now()
        grant.check(now)
        check_trust(grant, self._partners.find(grant.principal))
        check_time(effective_at, self._reached())
        first = len(self._changes) + 1
        new = [
            Change(first + index, subject, effective_at, now, str(grant.principal), value)
            for index, (subject, value) in enumerate(values.items())
        ]
        self._changes += new
        return new
