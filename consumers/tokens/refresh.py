"""Refreshes partners' keys from their metadata: when a token names an unknown key, or an operator says so."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from consumers.tokens.partner import PartnerApplication
from consumers.tokens.ports import MetadataSource, PartnerStore
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable, LyncArchiverError
from schemas.principals import Principal

REFRESH_INTERVAL_S: Final = 60.0
"""Keys are published a day before they sign (domain reference, section 5.6), so a minute loses nothing; and whoever
makes up thumbprints causes one request a minute at most."""

FETCHES_MAX: Final = 3
"""Of one refresh: another process, or an operator, may publish while it fetches."""


@dataclass(slots=True)
class _Turn:
    """The latest fetch for one partner: when it began, and what came of it for those who waited meanwhile."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun_s: float | None = None
    outcome: PartnerApplication | LyncArchiverError | None = None


class Refresher:
    """Fetches one partner's metadata at most once in `interval_s` seconds, and keeps the keys that it publishes.

    The limit is this process's own and starts anew with it.
    """

    def __init__(
        self,
        source: MetadataSource,
        partners: PartnerStore,
        clock: Clock,
        interval_s: float = REFRESH_INTERVAL_S,
    ) -> None:
        self._source = source
        self._partners = partners
        self._clock = clock
        self._interval_s = interval_s
        self._turns: dict[Principal, _Turn] = {}

    async def refresh(self, principal: Principal, *, force: bool = False) -> PartnerApplication | None:
        """Return the partner as it is after its keys were fetched, or None where no fetch was due.

        It is due once the interval has passed since the latest fetch began, however that ended. Nobody fetches for a
        principal that is no partner, nor for a disabled one. Whoever comes during a fetch waits, and gets what comes
        of it. `force` is the operator's: it fetches in any case, for a disabled partner too.

        Raises MetadataRefused where what is published is not taken: the keys stay as they were; AddressRefused; and
        DependencyUnavailable where the partner store cannot be used.
        """
        turn = self._turns.setdefault(principal, _Turn())
        joins = turn.lock.locked() and not force
        async with turn.lock:
            if joins:
                if isinstance(turn.outcome, LyncArchiverError):
                    raise turn.outcome
                return turn.outcome
            if not (force or self._due(turn)):
                return None
            partner = await self._find(principal)
            if partner is None:
                self._turns.pop(principal, None)  # made-up principals leave nothing behind
            elif partner.enabled or force:
                return await self._fetch(partner, turn)
            return None

    def _due(self, turn: _Turn) -> bool:
        return turn.begun_s is None or self._clock.monotonic() - turn.begun_s >= self._interval_s

    async def _fetch(self, partner: PartnerApplication, turn: _Turn) -> PartnerApplication | None:
        turn.begun_s, turn.outcome = self._clock.monotonic(), None
        try:
            turn.outcome = await self._publish(partner)
        except LyncArchiverError as error:
            turn.outcome = error
            raise
        return turn.outcome

    async def _publish(self, partner: PartnerApplication) -> PartnerApplication | None:
        """Fetch and publish the keys; again where somebody published meanwhile, for theirs may be newer, or older."""
        known: PartnerApplication | None = partner
        for _ in range(FETCHES_MAX):
            if known is None or known.metadata_url != partner.metadata_url:
                return known
            keys = await self._source.fetch(known)
            # A change of keys makes commits under way begin anew, so there is none where only their order differs.
            if set(keys) != set(known.keys):
                await self._partners.publish(known.principal, keys, known)
            known = await self._find(partner.principal)
            if known is None or set(known.keys) == set(keys):
                return known
        raise DependencyUnavailable(f"the keys of partner application {partner.name} keep changing")

    async def _find(self, principal: Principal) -> PartnerApplication | None:
        partners = await self._partners.partners()
        return next((partner for partner in partners if partner.principal == principal), None)
