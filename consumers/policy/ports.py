"""What policies need of the outside. The contract lives here; adapters repeat nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from consumers.grant import Grant
from consumers.policy.book import Change
from consumers.policy.subject import Subject
from schemas.errors import LyncArchiverError
from schemas.policies import PolicyValue


class TooLate(LyncArchiverError):
    """A change would take effect before something that is archived already: it was decided by what was in force."""


class PolicyStore(Protocol):
    """Where policies are kept with their history: nothing of it is ever changed or removed.

    Every method raises DependencyUnavailable where the store cannot be used now.
    """

    async def history(self) -> Sequence[Change]:
        """Return every change there is, by number, as of the latest one."""

    async def change(
        self, grant: Grant, values: Mapping[Subject, PolicyValue | None], effective_at: datetime
    ) -> Sequence[Change]:
        """Append one change for each subject, all of them or none, in force from `effective_at` on.

        That is aware, UTC, and a whole millisecond, which is what the store keeps of a time.

        Once this returns, no commit can come to pass that was decided without it: neither one that begins later, nor
        one that has begun. Raises TooLate where a lane has archived an event of that time or later, and GrantRefused.
        """


def check_time(effective_at: datetime, reached: datetime | None) -> None:
    """Raise TooLate where something of that time or later was decided already."""
    if reached is not None and effective_at <= reached:
        raise TooLate(
            f"a change from {effective_at.isoformat()} on comes too late: there is an archived event of "
            f"{reached.isoformat()}, decided by what is in force"
        )
