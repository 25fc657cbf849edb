"""The decision, against a model of it that reads the history from end to end and is written with plain conditions.

`python -m tests.property.test_policy 100000` looks at as many configurations as it is told.
"""

import sys
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.policy.book import Change, PolicyBook
from consumers.policy.decision import SessionKind, Switches, decide
from consumers.policy.subject import GLOBAL, Subject, SubjectKind
from schemas.policies import (
    ArchivedSessions,
    ArchivingConfiguration,
    ArchivingPolicy,
    DirectoryUser,
    ExchangeArchiving,
    MailboxHold,
    PolicyValue,
    PoolPlace,
)
from tests.support.policies import DAWN, USER

EXAMPLES: Final = 1000
"""In the default run; the whole 100,000 take some minutes."""

POOLS, SITES, TAGS = ("pool1", "pool2"), ("east", "west"), ("own", "other")

configurations: Final = st.builds(
    ArchivingConfiguration,
    enable_archiving=st.sampled_from([*ArchivedSessions, ArchivedSessions.IM_AND_WEB_CONF]),
    enable_exchange_archiving=st.booleans(),
)
policies: Final = st.builds(ArchivingPolicy, archive_internal=st.booleans(), archive_external=st.booleans())
users: Final = st.builds(
    DirectoryUser,
    pool=st.sampled_from(["", *POOLS]),
    policy=st.sampled_from(["", *TAGS]),
    exchange_archiving=st.sampled_from(ExchangeArchiving),
    mailbox=st.sampled_from([0, 2007, 2010, 2013, 2016]),
)


def _about(kind: SubjectKind, identities: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(kind), st.sampled_from(identities), st.none() | values | values | values)


entries: Final = st.one_of(
    _about(
        SubjectKind.CONFIGURATION,
        [GLOBAL, *(f"site:{site}" for site in SITES), *(f"service:registrar:{pool}" for pool in POOLS)],
        configurations,
    ),
    _about(
        SubjectKind.POLICY, [GLOBAL, *(f"site:{site}" for site in SITES), *(f"tag:{tag}" for tag in TAGS)], policies
    ),
    _about(SubjectKind.POOL, list(POOLS), st.builds(PoolPlace, site=st.sampled_from(SITES))),
    _about(SubjectKind.USER, [USER], users),
    _about(SubjectKind.HOLD, [USER], st.builds(MailboxHold, held=st.booleans())),
)
histories: Final = st.tuples(
    users, st.lists(st.tuples(entries, st.integers(0, 4)), max_size=14), configurations, policies
)
"""A user, a configuration and a policy from the start on, and what changes on some day or on the first."""

Row = tuple[SubjectKind, str, PolicyValue | None, int]


def rows_of(history: tuple[Any, ...]) -> list[Row]:
    """Return kind, identity, value and day of every change, in the order of their numbers."""
    user, later, configuration, policy = history
    first: list[Row] = [
        (SubjectKind.USER, USER, user, 0),
        (SubjectKind.CONFIGURATION, GLOBAL, configuration, 0),
        (SubjectKind.POLICY, GLOBAL, policy, 0),
    ]
    return [*first, *((*entry, day) for entry, day in later)]


def model(rows: list[Row], day: int, kind: SessionKind, *, external: bool, strict: bool) -> str:
    """Decide as domain reference, section 1.5, says it in words."""

    def has(kind: SubjectKind, identity: str) -> Any:
        found, when = None, -1
        for subject, name, value, since in rows:
            if (subject, name) == (kind, identity) and when <= since <= day:
                found, when = value, since
        return found

    user = has(SubjectKind.USER, USER)
    if user is None:
        return "none"
    place = has(SubjectKind.POOL, user.pool) if user.pool else None
    site = place.site if place else None
    configuration = (
        has(SubjectKind.CONFIGURATION, f"service:registrar:{user.pool}")
        or has(SubjectKind.CONFIGURATION, f"site:{site}")
        or has(SubjectKind.CONFIGURATION, "global")
        or ArchivingConfiguration()
    )
    policy = (
        (user.policy and has(SubjectKind.POLICY, f"tag:{user.policy}"))
        or has(SubjectKind.POLICY, f"site:{site}")
        or has(SubjectKind.POLICY, "global")
        or ArchivingPolicy()
    )
    if configuration.enable_archiving == "none" or user.exchange_archiving == "no-archiving":
        return "none"
    if kind == "conference" and configuration.enable_archiving == "im-only":
        return "none"
    covered = policy.archive_external if external else policy.archive_internal
    hold = has(SubjectKind.HOLD, USER)
    wanted = user.exchange_archiving == "archiving-to-exchange" or (
        user.exchange_archiving == "uninitialized" and hold is not None and hold.held
    )
    if wanted and configuration.enable_exchange_archiving and user.mailbox >= 2013:
        return "exchange" if covered or not strict else "none"
    return "lync" if covered else "none"


def moment(day: int) -> datetime:
    return DAWN + timedelta(days=day)


def agree(history: tuple[Any, ...], day: int, kind: SessionKind, external: bool, strict: bool) -> None:
    """Decide both ways and compare."""
    rows = rows_of(history)
    book = PolicyBook(
        Change(number, Subject(subject, identity), moment(since), DAWN, "test", value)
        for number, (subject, identity, value, since) in enumerate(rows, 1)
    )
    switches = Switches(exchange_heeds_policy=strict)
    found = decide(book, USER, moment(day), kind, external=external, switches=switches)
    assert found.target == model(rows, day, kind, external=external, strict=strict)
    assert found.path


QUESTIONS: Final = (histories, st.integers(-1, 5), st.sampled_from(SessionKind), st.booleans(), st.booleans())


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(*QUESTIONS)
def test_the_decision_is_the_models(
    history: tuple[Any, ...], day: int, kind: SessionKind, external: bool, strict: bool
) -> None:
    """Whatever is in force, both decide alike.

    Planted: a mailbox older than 2013 that takes what goes to Exchange.
    """
    agree(history, day, kind, external, strict)


def main() -> None:
    """Look at as many configurations as the argument says."""
    examples = int(sys.argv[1])
    many = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    many(given(*QUESTIONS)(agree))()
    sys.stdout.write(f"{examples} configurations: the decision and its model agree on all of them\n")


if __name__ == "__main__":
    main()
