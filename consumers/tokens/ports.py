"""What checking tokens needs of the outside. The contracts live here; adapters repeat nothing."""

from collections.abc import Sequence
from typing import Protocol

from consumers.tokens.partner import PartnerApplication
from consumers.tokens.session import Session


class PartnerStore(Protocol):
    """Where partner applications are kept, each under its principal.

    Every method raises DependencyUnavailable where the store cannot be used now.
    """

    async def partners(self) -> Sequence[PartnerApplication]:
        """Return every partner, by principal, as of the latest change."""

    async def put(self, partner: PartnerApplication) -> None:
        """Add the partner, or replace the one with the same principal.

        Once this returns, no commit can come to pass whose grant the new state does not stand behind: neither one
        that begins later, nor one that has begun.
        """


class SessionLog(Protocol):
    """Where sessions are kept. There is no way to change or remove one."""

    async def record(self, session: Session) -> None:
        """Keep the session, durably. Raises DependencyUnavailable where that cannot be done now."""
