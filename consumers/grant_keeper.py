"""Keeps one live grant for all lanes of a process: opened once, renewed before it is over, one renewal at a time."""

import asyncio
from dataclasses import dataclass
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


@dataclass(slots=True)
class _Kept:
    """A grant, when to renew it, and when it is over; each by wall time and, in seconds, by monotonic time."""

    grant: Grant
    renew_at: datetime
    renew_s: float
    ends_s: float


class GrantKeeper:
    """Hands out the current grant. Renewing it stops no lane that can still use the old one.

    A grant is over when either clock says so: a wall clock that is set back makes none last longer.
    """

    def __init__(self, authority: GrantAuthority, clock: Clock) -> None:
        self._authority = authority
        self._clock = clock
        self._kept: _Kept | None = None
        self._served = False
        self._opening = asyncio.Lock()

    @property
    def alive(self) -> bool:
        """Whether there is a grant that is not over; there is none before the first commit."""
        kept = self._kept
        return kept is not None and self._before(kept.grant.expires_at, kept.ends_s)

    async def current(self) -> Grant:
        """Return a grant that is alive. Raises GrantRefused or another DependencyUnavailable where there is none.

        Raises Misconfigured for the first grant only: what refuses us after it served us may pass, and stops no lane
        for good.
        """
        if (fresh := self._fresh()) is not None:
            return fresh
        if self._kept is not None and self._opening.locked() and self.alive:  # somebody renews, be it slowly
            return self._kept.grant
        async with self._opening:
            if (fresh := self._fresh()) is not None:
                return fresh
            try:
                self._kept = self._opened(await self._authority.open())
            except (DependencyUnavailable, Misconfigured) as error:
                if self._kept is None or not self.alive:
                    if self._served and isinstance(error, Misconfigured):
                        raise DependencyUnavailable(str(error)) from error
                    raise
                self._kept.renew_at = min(self._clock.now() + timedelta(seconds=RETRY_S), self._kept.grant.expires_at)
                self._kept.renew_s = min(self._clock.monotonic() + RETRY_S, self._kept.ends_s)
            else:
                self._served = True
            return self._kept.grant

    def forget(self, grant: Grant) -> None:
        """Hand this grant out no more: a write with it was refused."""
        if self._kept is not None and self._kept.grant is grant:
            self._kept = None

    def _fresh(self) -> Grant | None:
        kept = self._kept
        return kept.grant if kept is not None and self._before(kept.renew_at, kept.renew_s) else None

    def _before(self, at: datetime, at_s: float) -> bool:
        return self._clock.now() < at and self._clock.monotonic() < at_s

    def _opened(self, grant: Grant) -> _Kept:
        now, now_s = self._clock.now(), self._clock.monotonic()
        life = grant.expires_at - now
        return _Kept(
            grant, now + RENEW_AT * life, now_s + RENEW_AT * life.total_seconds(), now_s + life.total_seconds()
        )
