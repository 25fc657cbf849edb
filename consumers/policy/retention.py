"""Retention: which archived copies are purged, which meetings are swept, and why the others stay.

Pure, with the time passed in, and driven by a table (domain reference, sections 1.1, 1.2 and 1.7). Ages are those of
conversations, from their end, or from the last event held where no end is: one whose end is held has none after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from consumers.conversation import Conversation
from consumers.policy.book import PolicyBook
from consumers.policy.decision import Switches, Target
from consumers.policy.governance import AS_READ
from consumers.transitions import Kind
from schemas.times import parse_time

EVER: Final = datetime.min.replace(tzinfo=UTC)
"""As the time of the last daily purge: every hour came since."""


class Verdict(StrEnum):
    """What becomes of an archived copy, or of a conversation's content, or why it stays."""

    TAKEN = "taken"
    EXCHANGE = "exchange"
    HELD = "held"
    OFF = "off"
    WAITING = "waiting"
    YOUNG = "young"
    UNEXPORTED = "unexported"
    ARCHIVED = "archived"
    OPEN = "open"
    SEEN = "seen"


class ArchivedCopy(NamedTuple):
    """Whose copy it is, where it is archived, and how many segments its conversation had when it was exported, if ever.

    What came since is not exported.
    """

    id: str
    mailbox: str
    target: Target
    exported_segments: int | None = None


class Remains(NamedTuple):
    """What there is of one conversation: every archived copy, and whether any user sees it still.

    `watermark` is the latest event time of its lane; `started` the time that its copies begin at, None where unknown.
    """

    conversation: Conversation
    copies: tuple[ArchivedCopy, ...] = ()
    seen: bool = False
    watermark: datetime | None = None
    started: datetime | None = None


class Rule(Protocol):
    """What a purge asks of each copy."""

    def verdict(self, copy: ArchivedCopy, conversation: Conversation) -> Verdict:
        """Return TAKEN, or why the copy stays."""


EXPIRY: Final[dict[tuple[bool, bool, bool, bool], Verdict]] = {
    # PurgeExportedArchivesOnly; read as exported OR expired (section 0.1, number 3); older than the limit; exported
    (False, False, False, False): Verdict.YOUNG,
    (False, False, False, True): Verdict.YOUNG,
    (False, False, True, False): Verdict.TAKEN,
    (False, False, True, True): Verdict.TAKEN,
    (False, True, False, False): Verdict.YOUNG,
    (False, True, False, True): Verdict.YOUNG,
    (False, True, True, False): Verdict.TAKEN,
    (False, True, True, True): Verdict.TAKEN,
    (True, False, False, False): Verdict.YOUNG,
    (True, False, False, True): Verdict.YOUNG,
    (True, False, True, False): Verdict.UNEXPORTED,
    (True, False, True, True): Verdict.TAKEN,
    (True, True, False, False): Verdict.YOUNG,
    (True, True, False, True): Verdict.TAKEN,
    (True, True, True, False): Verdict.TAKEN,
    (True, True, True, True): Verdict.TAKEN,
}
"""Every combination, spelt out: a case that is missing would be something deleted, or kept, by nobody's decision."""


@dataclass(frozen=True, slots=True)
class DailyRule:
    """The daily purge at `now`, by the configurations in force then; `since` is when it ran last, None for never.

    A configuration's PurgeHourOfDay (UTC) is due once a day, at the first run at or after it.
    """

    book: PolicyBook
    now: datetime
    since: datetime | None
    switches: Switches = AS_READ

    def verdict(self, copy: ArchivedCopy, conversation: Conversation) -> Verdict:
        """Return what becomes of a copy, by its owner's configuration and hold."""
        if (spared := _spared(self.book, copy, self.now)) is not None:
            return spared
        user = self.book.user(copy.mailbox, self.now)
        configuration, _ = self.book.configuration(user.pool if user else "", self.now)
        if not configuration.enable_purging:
            return Verdict.OFF
        if not hour_came(configuration.purge_hour_of_day, self.since, self.now):
            return Verdict.WAITING
        older = over_at(conversation) < self.now - timedelta(days=configuration.keep_archiving_data_for_days)
        only = configuration.purge_exported_archives_only
        return EXPIRY[only, self.switches.purge_exported_or_expired, older, exported(copy, conversation)]

    @property
    def before(self) -> datetime | None:
        """What began from here on need not be looked at; None where no configuration purges anything now."""
        due = [
            configuration
            for configuration in self.book.configurations(self.now)
            if configuration.enable_purging and hour_came(configuration.purge_hour_of_day, self.since, self.now)
        ]
        if not due or self.switches.purge_exported_or_expired:
            return self.now if due else None
        return self.now - timedelta(days=min(found.keep_archiving_data_for_days for found in due))


@dataclass(frozen=True, slots=True)
class ManualRule:
    """A purge by hand of what is older than so many hours, whatever EnablePurging says."""

    book: PolicyBook
    now: datetime
    older_than_h: float
    exported_only: bool = False

    def verdict(self, copy: ArchivedCopy, conversation: Conversation) -> Verdict:
        """Return what becomes of a copy; holds and Exchange have their say here too."""
        if (spared := _spared(self.book, copy, self.now)) is not None:
            return spared
        older = over_at(conversation) < self.before
        return EXPIRY[self.exported_only, False, older, exported(copy, conversation)]

    @property
    def before(self) -> datetime:
        """What began from here on need not be looked at."""
        return self.now - timedelta(hours=self.older_than_h)


def sweep_verdict(book: PolicyBook, remains: Remains, now: datetime) -> Verdict:
    """Return what becomes of the content of a meeting that nobody's policy keeps: IM is never swept.

    It waits for the longest CachePurgingInterval of its members' pools, and, while somebody who is archived may still
    come to have joined, until its lane is past that moment too.
    """
    conversation = remains.conversation
    if conversation.kind is not Kind.CONFERENCE or conversation.kept or not book.number:
        return Verdict.ARCHIVED
    due = over_at(conversation) + timedelta(hours=sweep_interval_h(book, conversation.members, now))
    if now < due:
        return Verdict.YOUNG
    if not conversation.complete and (remains.watermark is None or remains.watermark < due):
        return Verdict.OPEN
    return remaining_verdict(remains)


def remaining_verdict(remains: Remains) -> Verdict:
    """Return TAKEN where nobody has any claim to the content: no copy is archived, and no user sees it."""
    if remains.copies:
        return Verdict.ARCHIVED
    return Verdict.SEEN if remains.seen else Verdict.TAKEN


def sweep_interval_h(book: PolicyBook, people: Iterable[str], now: datetime) -> int:
    """Return the longest interval of these people's configurations; that of nobody's pool where none has an account."""
    users = [user for sip in people if (user := book.user(sip, now)) is not None]
    pools = {user.pool for user in users} or {""}
    return max(book.configuration(pool, now)[0].cache_purging_interval_h for pool in pools)


def over_at(conversation: Conversation) -> datetime:
    """Return when the conversation ended, or when the last event that is held of it happened."""
    return parse_time(conversation.last_at)[1]


def exported(copy: ArchivedCopy, conversation: Conversation) -> bool:
    """Return whether the copy was exported with all that is there of its conversation."""
    return copy.exported_segments == conversation.segments


def hour_came(hour: int, since: datetime | None, now: datetime) -> bool:
    """Return whether it was this hour of a day (UTC) since then; where that is None, whether it was today."""
    came = now.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    if since is None:
        return came <= now
    if came > now:
        came -= timedelta(days=1)
    return came > since


def _spared(book: PolicyBook, copy: ArchivedCopy, now: datetime) -> Verdict | None:
    """Return why no purge at all takes the copy: what is in Exchange is Exchange's, and a hold is a hold."""
    if copy.target is not Target.LYNC:
        return Verdict.EXCHANGE
    return Verdict.HELD if book.held(copy.mailbox, now) else None
