"""What checking tokens needs of the outside. The contracts live here; adapters repeat nothing."""

from collections.abc import Sequence
from typing import Protocol

from consumers.tokens.partner import PartnerApplication, PartnerKey
from consumers.tokens.session import Session
from schemas.principals import Principal


class PartnerStore(Protocol):
    """Where partner applications are kept, each under its principal.

    Every method raises DependencyUnavailable where the store cannot be used now.
    """

    async def partners(self) -> Sequence[PartnerApplication]:
        """Return every partner, by principal, as of the latest change."""

    async def put(self, partner: PartnerApplication) -> None:
        """Add the partner, or replace the one with the same principal; one that is disabled stays so.

        Whoever changes an address or a key must not trust again whom somebody has just stopped trusting: that is
        `switch` alone.

        Once this returns, no commit can come to pass whose grant the new state does not stand behind: neither one
        that begins later, nor one that has begun.
        """

    async def publish(
        self, principal: Principal, keys: tuple[PartnerKey, ...], known: PartnerApplication | None = None
    ) -> None:
        """Replace the keys of a partner, and nothing else of it; the same promise holds as for `put`.

        Nothing changes where there is no such partner, nor where `known` is given and its metadata address and keys
        are not those of the partner any more: whoever pinned another address does not want the keys of the former,
        and what somebody else read in the meantime may be newer.
        """

    async def switch(self, principal: Principal, *, enabled: bool) -> None:
        """Enable or disable a partner, and change nothing else of it; the same promise holds as for `put`.

        Nothing changes where there is no such partner.
        """


class MetadataSource(Protocol):
    """Where a partner's keys are published."""

    async def fetch(self, partner: PartnerApplication) -> tuple[PartnerKey, ...]:
        """Return the keys that the partner publishes now, from the address that it was added with and no other.

        There is at least one, and no thumbprint stands twice. Raises MetadataRefused, whose `rule` says why the answer,
        or that there was none, gives no keys; and AddressRefused, which is the operator's to mend, where the address
        may not be asked: then nothing was sent.
        """


class SessionLog(Protocol):
    """Where sessions are kept. There is no way to change or remove one."""

    async def record(self, session: Session) -> None:
        """Keep the session, durably. Raises DependencyUnavailable where that cannot be done now."""
