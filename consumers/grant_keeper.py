"""Keeps one live grant for all lanes of a process: opened once, renewed before it is over, one renewal at a time."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from consumers.grant import Grant
from consumers.ports import GrantAuthority
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable, Misconfigured

RENEW_AT: Final = 0.8
"""Renewal begins after this share of a grant's life, so that a slow authority does not stop a lane."""

RETRY_S: Final = 5.0
"""After a renewal that failed, the next try waits this long while the old grant still serves."""


class GrantKeeper:
    """Hands out the current grant. Renewing it stops no lane that can still use the old one."""

    def __init__(self, authority: GrantAuthority, clock: Clock) -> None:
        self._authority = authority
        self._clock = clock
        self._grant: Grant | None = None
        self._served = False
        self._renew_at = clock.now()
        self._opening = asyncio.Lock()

    @property
    def alive(self) -> bool:
        """Whether there is a grant that is not over; there is none before the first commit."""
        return self._grant is not None and self._clock.now() < self._grant.expires_at

    async def current(self) -> Grant:
        """Return a grant that is alive. Raises GrantRefused or another DependencyUnavailable where there is none.

        Raises Misconfigured for the first grant only: what refuses us after it served us may pass, and stops no lane
        for good.
        """
        if self._grant is not None and self._clock.now() < self._renew_at:
            return self._grant
        if self._grant is not None and self._opening.locked() and self.alive:  # somebody renews, be it slowly
            return self._grant
        async with self._opening:
            now = self._clock.now()
            if self._grant is not None and now < self._renew_at:
                return self._grant
            try:
                self._grant = await self._authority.open()
            except (DependencyUnavailable, Misconfigured) as error:
                if self._grant is None or now >= self._grant.expires_at:
                    if self._served and isinstance(error, Misconfigured):
                        raise DependencyUnavailable(str(error)) from error
                    raise
                self._renew_at = min(now + timedelta(seconds=RETRY_S), self._grant.expires_at)
            else:
                self._served = True
                self._renew_at = _due(self._grant, self._clock.now())
            return self._grant

    def forget(self, grant: Grant) -> None:
        """Hand this grant out no more: a write with it was refused."""
        if self._grant is grant:
            self._grant = None


def _due(grant: Grant, now: datetime) -> datetime:
    return now + RENEW_AT * (grant.expires_at - now)
