"""Where something is archived: every case of the tables, the precedence of scopes, and time."""

from datetime import timedelta

import pytest

from consumers.policy.book import PolicyBook
from consumers.policy.decision import ROUTES, SessionKind, Switches, Target, decide
from consumers.policy.subject import GLOBAL, NoSuchSubject, SubjectKind, subject_of
from schemas.policies import (
    ArchivedSessions,
    ArchivingConfiguration,
    ArchivingPolicy,
    DirectoryUser,
    ExchangeArchiving,
    MailboxHold,
    PoolPlace,
)
from tests.support.policies import DAWN, NOON, USER, Entry, book, changes
from tests.unit.consumers.policy.cases import CASES, CONFIGURATIONS, POLICIES, Case, Precedence

BOTH = ArchivingConfiguration(enable_archiving=ArchivedSessions.IM_AND_WEB_CONF)
IM_ONLY = ArchivingConfiguration(enable_archiving=ArchivedSessions.IM_ONLY)
ALL = ArchivingPolicy(archive_internal=True, archive_external=True)
POOL = (SubjectKind.POOL, "pool1.contoso.example", PoolPlace(site="redmond"))
OF_POOL = DirectoryUser(pool="pool1.contoso.example")


def target(entries: list[Entry], kind: SessionKind = SessionKind.IM, *, external: bool = False) -> Target:
    return decide(book(*entries), USER, NOON, kind, external=external).target


def test_there_are_48_cases() -> None:
    """Four policies of a user, hold or not, Exchange or not, three values of EnableArchiving: each once."""
    assert len({case[:4] for case in CASES}) == len(CASES) == 48
    assert len(ROUTES) == len(ExchangeArchiving) * 4


@pytest.mark.parametrize("kind", SessionKind)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_case(case: Case, kind: SessionKind) -> None:
    """Each combination goes where the table says."""
    assert target(case.entries(), kind) is case.target(kind)


@pytest.mark.parametrize("example", CONFIGURATIONS)
def test_configurations_of_a_pool_come_before_the_sites_and_global(example: Precedence) -> None:
    """The documentation's example: global IM, the site both, the pool IM: its users have IM alone (domain, 1.2)."""
    assert target(example.entries, example.kind, external=example.external) is example.target


@pytest.mark.parametrize("example", POLICIES)
def test_policies_of_a_user_come_before_the_sites_and_global(example: Precedence) -> None:
    """The documentation's example: a site that turns external off wins over global there (domain, 1.3)."""
    assert target(example.entries, example.kind, external=example.external) is example.target


@pytest.mark.parametrize(("mailbox", "wanted"), [(0, Target.LYNC), (2010, Target.LYNC), (2013, Target.EXCHANGE)])
@pytest.mark.parametrize("exchange_archiving", [ExchangeArchiving.UNINITIALIZED, ExchangeArchiving.TO_EXCHANGE])
def test_an_older_mailbox_falls_to_the_lync_policy(
    mailbox: int, wanted: Target, exchange_archiving: ExchangeArchiving
) -> None:
    """Exchange before 2013 takes nothing that Lync archives, whatever the user's policy says (domain, 1.4)."""
    exchange = BOTH.model_copy(update={"enable_exchange_archiving": True})
    entries: list[Entry] = [
        (SubjectKind.CONFIGURATION, GLOBAL, exchange),
        (SubjectKind.POLICY, GLOBAL, ALL),
        (SubjectKind.USER, USER, DirectoryUser(mailbox=mailbox, exchange_archiving=exchange_archiving)),
        (SubjectKind.HOLD, USER, MailboxHold()),
    ]
    assert target(entries) is wanted


def test_by_default_nothing_is_archived() -> None:
    """Every default is off, and somebody without an account is archived nowhere."""
    assert target([(SubjectKind.USER, USER, DirectoryUser())]) is Target.NONE
    assert target([(SubjectKind.CONFIGURATION, GLOBAL, BOTH), (SubjectKind.POLICY, GLOBAL, ALL)]) is Target.NONE


def test_the_policy_in_force_at_the_time_counts() -> None:
    """A hold that comes at noon changes nothing of the morning, however late somebody asks (domain, 1.4)."""
    exchange = BOTH.model_copy(update={"enable_exchange_archiving": True})
    before: list[Entry] = [
        (SubjectKind.CONFIGURATION, GLOBAL, exchange),
        (SubjectKind.POLICY, GLOBAL, ALL),
        (SubjectKind.USER, USER, DirectoryUser()),
    ]
    later = changes([(SubjectKind.HOLD, USER, MailboxHold())], NOON, first=4)
    whole = PolicyBook([*later, *changes(before)])
    moments = [DAWN - timedelta(seconds=1), NOON - timedelta(microseconds=1), NOON, NOON + timedelta(days=1)]
    targets = [decide(whole, USER, moment, SessionKind.IM, external=False).target for moment in moments]
    assert targets == [Target.NONE, Target.LYNC, Target.EXCHANGE, Target.EXCHANGE]
    assert whole.number == 4


def test_a_switch_holds_exchange_to_the_policy() -> None:
    """The other reading of the documentation: both archiving policies are required for all (domain, 0.1)."""
    entries: list[Entry] = [
        (SubjectKind.CONFIGURATION, GLOBAL, BOTH.model_copy(update={"enable_exchange_archiving": True})),
        (SubjectKind.POLICY, GLOBAL, ArchivingPolicy(archive_internal=True)),
        (SubjectKind.USER, USER, DirectoryUser(exchange_archiving=ExchangeArchiving.TO_EXCHANGE)),
    ]
    strict = Switches(exchange_heeds_policy=True)
    assert target(entries, external=True) is Target.EXCHANGE
    for external, wanted in ((False, Target.EXCHANGE), (True, Target.NONE)):
        found = decide(book(*entries), USER, NOON, SessionKind.IM, external=external, switches=strict)
        assert found.target is wanted


def test_the_path_names_every_rule() -> None:
    """Whoever asks why is told each rule, what it said, and which scope gives it."""
    found = decide(book(*CASES[2].entries()), USER, NOON, SessionKind.IM, external=False)
    assert [f"{step.rule}: {step.said}" for step in found.path] == [
        "EnableArchiving: im-and-web-conf (global)",
        "ExchangeArchivingPolicy: uninitialized",
        "EnableExchangeArchiving: no (global)",
        "mailbox: Exchange 2013",
        "hold: no",
        "route: lync-policy",
        "ArchiveInternal: yes (global)",
    ]


@pytest.mark.parametrize(
    ("kind", "identity"),
    [
        (SubjectKind.CONFIGURATION, "pool1"),
        (SubjectKind.POLICY, "service:registrar:pool1"),
        (SubjectKind.USER, "alice"),
        (SubjectKind.POOL, ""),
    ],
)
def test_not_every_name_can_have_a_policy(kind: SubjectKind, identity: str) -> None:
    """Each kind has identities of its own form."""
    with pytest.raises(NoSuchSubject):
        subject_of(kind, identity)
