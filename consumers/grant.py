"""Leave to write: what an accepted token opens, and what every write takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.errors import DependencyUnavailable
from schemas.principals import Principal
from schemas.support import Deployment

ARCHIVE_ROLE: Final = "ArchiveApplication"
"""Exchange's management role for an application that writes archived content (domain reference, section 5.2)."""


class GrantRefused(DependencyUnavailable):
    """There is no leave to write now: nothing advances until there is."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave for one application to write into mailboxes, until `expires_at` (aware, UTC).

    `roles` are the application's, or the user's where it acts for one. `mailboxes` are those it may write into, None
    for every one. `deployment` is where the application ran when its token was accepted. `token_id` and `x5t` name the
    token that opened it and the key that signed that, never themselves.
    """

    principal: Principal
    roles: frozenset[str]
    token_id: str
    x5t: str
    expires_at: datetime
    user: str | None = None
    mailboxes: frozenset[str] | None = None
    deployment: Deployment = Deployment.ON_PREMISES

    def check(self, now: datetime, mailboxes: Iterable[str] = ()) -> None:
        """Raise GrantRefused where the grant is over, lacks the role, or does not reach these mailboxes."""
        if now >= self.expires_at:
            raise GrantRefused(f"the grant of token {self.token_id} expired at {self.expires_at.isoformat()}")
        if ARCHIVE_ROLE not in self.roles:
            raise GrantRefused(f"the grant of token {self.token_id} lacks the role {ARCHIVE_ROLE}")
        if self.mailboxes is not None and not self.mailboxes.issuperset(mailboxes):
            raise GrantRefused(f"the grant of token {self.token_id} does not reach every mailbox of the batch")
