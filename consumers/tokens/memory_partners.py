"""Partner applications in memory: the reference `PartnerStore`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from consumers.tokens.partner import PartnerApplication, PartnerKey
from schemas.principals import Principal


class MemoryPartners:
    """The `PartnerStore` in a dictionary."""

    def __init__(self, partners: Iterable[PartnerApplication] = ()) -> None:
        self._partners = {partner.principal: partner for partner in partners}

    async def partners(self) -> Sequence[PartnerApplication]:
        return [self._partners[principal] for principal in sorted(self._partners)]

    async def put(self, partner: PartnerApplication) -> None:
        before = self._partners.get(partner.principal, partner)
        self._partners[partner.principal] = replace(partner, enabled=partner.enabled and before.enabled)

    async def publish(
        self, principal: Principal, keys: tuple[PartnerKey, ...], known: PartnerApplication | None = None
    ) -> None:
        partner = self._partners.get(principal)
        if partner is not None and (known is None or _published(known) == _published(partner)):
            self._partners[principal] = replace(partner, keys=keys)

    async def switch(self, principal: Principal, *, enabled: bool) -> None:
        partner = self._partners.get(principal)
        if partner is not None:
            self._partners[principal] = replace(partner, enabled=enabled)

    def find(self, principal: Principal) -> PartnerApplication | None:
        """Return the partner with this principal, as a commit sees it."""
        return self._partners.get(principal)


def _published(partner: PartnerApplication) -> tuple[str, tuple[PartnerKey, ...]]:
    return partner.metadata_url, partner.keys
