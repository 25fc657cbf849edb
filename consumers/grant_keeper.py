"""Keeps one live grant for all lanes of a process: opened once, renewed before it is over, one renewal at a time."""

import asyncio
from datetime import timedelta
from typing import Final

from consumers.grant import Grant
from consumers.ports import GrantAuthority
from schemas.clock import Clock

RENEW_BEFORE_S: Final = 120
"""Renewal begins this long before the end, so that a slow authority does not stop a lane."""


class GrantKeeper:
    """Hands out the current grant. Renewing it stops no lane that can still use the old one."""

    def __init__(self, authority: GrantAuthority, clock: Clock) -> None:
        self._authority = authority
        self._clock = clock
        self._grant: Grant | None = None
        self._opening = asyncio.Lock()

    async def current(self) -> Grant:
        """Return a grant with some life left. Raises GrantRefused where none can be had."""
        grant = self._grant
        if grant is not None and self._fresh(grant):
            return grant
        async with self._opening:
            if self._grant is None or not self._fresh(self._grant):
                self._grant = await self._authority.open()
            return self._grant

    def forget(self, grant: Grant) -> None:
        """Hand this grant out no more: a write with it was refused."""
        if self._grant is grant:
            self._grant = None

    def _fresh(self, grant: Grant) -> bool:
        return self._clock.now() + timedelta(seconds=RENEW_BEFORE_S) < grant.expires_at
