"""Policies for tests: histories made of a line each."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from consumers.policy.book import Change, PolicyBook
from consumers.policy.subject import Subject, SubjectKind
from schemas.policies import PolicyValue

DAWN: Final = datetime(2013, 1, 1, tzinfo=UTC)
NOON: Final = DAWN + timedelta(hours=12)
USER: Final = "sip:alice@contoso.example"

Entry = tuple[SubjectKind, str, PolicyValue | None]


def changes(entries: Iterable[Entry], moment: datetime = DAWN, first: int = 1) -> list[Change]:
    """Return one change an entry, all in force from `moment` on."""
    return [
        Change(first + index, Subject(kind, identity), moment, moment, "test", value)
        for index, (kind, identity, value) in enumerate(entries)
    ]


def book(*entries: Entry) -> PolicyBook:
    """Return the book of these entries."""
    return PolicyBook(changes(entries))
