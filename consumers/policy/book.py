"""The organisation's policies over time: what was in force at a moment, however late somebody asks."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple, TypeVar, cast

from consumers.policy.subject import GLOBAL, Subject, SubjectKind
from schemas.policies import ArchivingConfiguration, ArchivingPolicy, DirectoryUser, MailboxHold, PolicyValue, PoolPlace

Value = TypeVar("Value", ArchivingConfiguration, ArchivingPolicy)


class Change(NamedTuple):
    """One entry of the history, never changed and never removed.

    `number` counts the history's entries from 1. From `effective_at` on (aware, UTC) the subject has this value, or
    none where it is None; `recorded_at` and `by` say when it was entered, and by which principal.
    """

    number: int
    subject: Subject
    effective_at: datetime
    recorded_at: datetime
    by: str
    value: PolicyValue | None


class Found(NamedTuple):
    """A value that is in force, and the scope that gives it."""

    value: PolicyValue
    scope: str


class PolicyBook:
    """The history as it was at one of its entries: `number` is the latest one, 0 for none.

    Of two entries of one subject for the same moment the later one counts.
    """

    def __init__(self, changes: Iterable[Change] = ()) -> None:
        self._times: dict[Subject, list[datetime]] = {}
        self._values: dict[Subject, list[PolicyValue | None]] = {}
        self.number = 0
        for change in sorted(changes, key=attrgetter("effective_at", "number")):
            self._times.setdefault(change.subject, []).append(change.effective_at)
            self._values.setdefault(change.subject, []).append(change.value)
            self.number = max(self.number, change.number)

    def value(self, subject: Subject, moment: datetime) -> PolicyValue | None:
        """Return what the subject has at this moment, or None."""
        times = self._times.get(subject)
        place = bisect_right(times, moment) if times else 0
        return self._values[subject][place - 1] if place else None

    def user(self, sip: str, moment: datetime) -> DirectoryUser | None:
        """Return the user's entry, or None for somebody without an account."""
        return cast("DirectoryUser | None", self.value(Subject(SubjectKind.USER, sip), moment))

    def users(self) -> list[str]:
        """Return the SIP addresses of all who ever had an entry, in order."""
        return sorted(subject.identity for subject in self._times if subject.kind is SubjectKind.USER)

    def held(self, sip: str, moment: datetime) -> bool:
        """Return whether the user's mailbox is on hold."""
        hold = cast("MailboxHold | None", self.value(Subject(SubjectKind.HOLD, sip), moment))
        return hold is not None and hold.held

    def site(self, pool: str, moment: datetime) -> str:
        """Return the site of a pool; empty where it is not known."""
        place = cast("PoolPlace | None", self.value(Subject(SubjectKind.POOL, pool), moment)) if pool else None
        return place.site if place else ""

    def names(self, pool: str, moment: datetime) -> bool:
        """Return whether a pool has a place or a configuration of its own."""
        own = (Subject(SubjectKind.POOL, pool), Subject(SubjectKind.CONFIGURATION, f"service:registrar:{pool}"))
        return any(self.value(subject, moment) is not None for subject in own)

    def configuration(self, pool: str, moment: datetime) -> tuple[ArchivingConfiguration, str]:
        """Return the configuration for a pool, and its scope: pool before site before global (domain, 1.2)."""
        scopes = [f"service:registrar:{pool}" if pool else "", *self._site(pool, moment), GLOBAL]
        return self._first(SubjectKind.CONFIGURATION, scopes, moment, ArchivingConfiguration())

    def configurations(self, moment: datetime) -> list[ArchivingConfiguration]:
        """Return every configuration that is in force, of whatever scope."""
        subjects = [subject for subject in self._times if subject.kind is SubjectKind.CONFIGURATION]
        found = [self.value(subject, moment) for subject in subjects]
        return [cast("ArchivingConfiguration", value) for value in found if value is not None]

    def policy(self, user: DirectoryUser | None, moment: datetime) -> tuple[ArchivingPolicy, str]:
        """Return the policy for a user, and its scope: the user's own before the site's before global (domain, 1.3)."""
        tag, pool = (user.policy, user.pool) if user else ("", "")
        scopes = [f"tag:{tag}" if tag else "", *self._site(pool, moment), GLOBAL]
        return self._first(SubjectKind.POLICY, scopes, moment, ArchivingPolicy())

    def _site(self, pool: str, moment: datetime) -> list[str]:
        site = self.site(pool, moment)
        return [f"site:{site}"] if site else []

    def _first(self, kind: SubjectKind, scopes: list[str], moment: datetime, default: Value) -> tuple[Value, str]:
        for scope in filter(None, scopes):
            value = self.value(Subject(kind, scope), moment)
            if value is not None:
                return cast("Value", value), scope
        return default, "default"
