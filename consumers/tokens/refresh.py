"""Refreshing partners' keys from their metadata: when a token names a key that nobody knows yet, and not too often."""

import asyncio
from collections import defaultdict
from typing import Final

from consumers.tokens.partner import PartnerApplication
from consumers.tokens.ports import MetadataSource, PartnerStore
from schemas.clock import Clock
from schemas.principals import Principal

REFRESH_INTERVAL_S: Final = 60.0
"""Between two refreshes of a partner: whoever sends tokens with keys made up must not make us ask all the time."""


class Refresher:
    """Fetches partners' keys: one fetch at a time for each, and one an interval, failed ones included."""

    def __init__(
        self, source: MetadataSource, partners: PartnerStore, clock: Clock, interval_s: float = REFRESH_INTERVAL_S
    ) -> None:
        self._source = source
        self._partners = partners
        self._clock = clock
        self._interval_s = interval_s
        self._due: dict[Principal, float] = {}
        self._fetching: defaultdict[Principal, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def refresh(self, principal: Principal, *, force: bool = False) -> PartnerApplication | None:
        """Take the partner's keys from its metadata now, and return it; None where it is unknown or it is not time yet.

        Raises MetadataRefused, DependencyUnavailable where there is no document to use: the keys stay as they are.
        """
        partner = await self._find(principal)
        if partner is None:
            return None
        async with self._fetching[principal]:
            if not force and self._clock.monotonic() < self._due.get(principal, 0):
                return None
            self._due[principal] = self._clock.monotonic() + self._interval_s
            keys = await self._source.fetch(partner)
            if keys != partner.keys:
                await self._partners.publish(principal, keys)
        return await self._find(principal)

    async def _find(self, principal: Principal) -> PartnerApplication | None:
        return next((one for one in await self._partners.partners() if one.principal == principal), None)
