"""Leave to write: what an accepted token opens, and what every write takes."""

from dataclasses import dataclass
from datetime import datetime

from schemas.errors import DependencyUnavailable


class GrantRefused(DependencyUnavailable):
    """There is no leave to write now: nothing advances until there is."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave for one application to write into mailboxes, until `expires_at` (aware, UTC).

    `token_id` names the token that opened it, never the token itself.
    """

    application: str
    realm: str
    roles: frozenset[str]
    token_id: str
    expires_at: datetime

    def check(self, now: datetime) -> None:
        """Raise GrantRefused where the grant is over, or does not include archiving into mailboxes."""
        if now >= self.expires_at:
            raise GrantRefused(f"the grant of token {self.token_id} expired at {self.expires_at.isoformat()}")
        if ARCHIVE_ROLE not in self.roles:
            raise GrantRefused(f"the grant of token {self.token_id} lacks the role {ARCHIVE_ROLE}")


ARCHIVE_ROLE = "ArchiveApplication"
"""Exchange's management role for an application that writes archived content (domain reference, section 5.2)."""
