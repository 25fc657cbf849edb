"""What policies need of the outside. The contract lives here; adapters repeat nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from consumers.grant import Grant
from consumers.policy.book import Change
from consumers.policy.retention import Remains
from consumers.policy.subject import Subject
from schemas.errors import LyncArchiverError
from schemas.policies import PolicyValue
from schemas.times import format_time


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
        one that has begun. Raises TooLate where a lane or a redrive has archived an event of that time or later, and
        GrantRefused.
        """


class Reason(StrEnum):
    """Why something was deleted. Stored, so a member is never renamed."""

    SWEEP = "sweep"
    PURGE = "purge"


class Unclaimed(StrEnum):
    """Which conversations may have nobody with a claim to their content."""

    UNKEPT = "unkept"
    """Meetings that nobody's policy keeps."""

    PURGED = "purged"
    """Those of which copies were purged."""


class Purge(NamedTuple):
    """What is deleted of one conversation at once.

    It was decided on its `revision`, by the policies up to the number `policies`. The copies of `mailboxes` go; with
    `frees` its content goes too, and what proves that it was there stays.
    """

    conversation: str
    revision: int
    policies: int
    mailboxes: tuple[str, ...]
    frees: bool
    reason: Reason


class RetentionStore(Protocol):
    """Where archived copies, and content that nobody has a claim to, are deleted.

    Every method raises DependencyUnavailable where the store cannot be used now.
    """

    async def policy_changes(self, after: int) -> Sequence[Change]:
        """As `consumers.ports.ArchiveStore.policy_changes`."""

    async def unclaimed(self, which: Unclaimed, after: str, at_most: int) -> Sequence[Remains]:
        """Return those conversations with ids behind `after`, by id, that are not removed."""

    async def archived(
        self, before: datetime, after: tuple[datetime | None, str] | None, at_most: int
    ) -> Sequence[Remains]:
        """Return conversations with a copy in Lync's archive, those that began first first.

        None that began at `before` or later; those behind the place `after`, a start and an id. Those whose start is
        not known come first.
        """

    async def look(self, conversation: str) -> Remains | None:
        """Return what there is of a conversation, or None where it was removed."""

    async def purge(self, grant: Grant, purge: Purge) -> None:
        """Delete what the purge says, durably, all of it or nothing, and let the journal say so.

        The conversation moves on by one revision, and nobody of `mailboxes` gets a copy of it again. Raises Stale
        where the conversation is at another revision, the policies are others, a copy is not there or not in Lync's
        archive, or content would go that somebody has a claim to; GrantRefused.
        """

    async def daily_ran(self) -> datetime | None:
        """Return when a daily purge last ran to its end, None for never."""

    async def note_daily(self, at: datetime) -> None:
        """Note that one that began then ran to its end; a later one that is noted already stays."""

    async def mark_exported(self, grant: Grant, segments: Mapping[str, int]) -> int:
        """Mark copies as exported, by id, with as many segments of their conversations; return how many are new.

        Those that are not there any more are left out. Durably, all or none, and the journal says so. Raises
        GrantRefused.
        """


def latest(*moments: datetime | None) -> datetime | None:
    """Return the latest of these moments, None where there is none."""
    return max((moment for moment in moments if moment is not None), default=None)


def check_time(effective_at: datetime, reached: datetime | None) -> None:
    """Raise TooLate where something of that time or later was decided already."""
    if reached is not None and effective_at <= reached:
        raise TooLate(
            f"a change from {format_time(effective_at)} on comes too late: there is an archived event of "
            f"{format_time(reached)}, decided by what is in force"
        )
