"""A conference on a pool that archives none: its messages are archived for whom they are, and nothing else of it."""

import pytest

from consumers.batch import Checkpoint
from consumers.copy import Copy, archived
from consumers.fold import fold
from consumers.policy.decision import Target
from consumers.policy.governance import Governance
from consumers.policy.subject import GLOBAL, SubjectKind, pool_of
from schemas.policies import ArchivedSessions, ArchivingConfiguration, ArchivingPolicy, DirectoryUser, PoolPlace
from tests.builders import ALICE, BOB, CONFERENCES, activated, came, decoded, event, history, said
from tests.support.policies import Entry, book

HOST = "/pools/FE02/focus"
BOTH = ArchivingConfiguration(enable_archiving=ArchivedSessions.IM_AND_WEB_CONF)
MESSAGES = ArchivingConfiguration(enable_archiving=ArchivedSessions.IM_ONLY)
PEOPLE: list[Entry] = [
    (SubjectKind.POLICY, GLOBAL, ArchivingPolicy(archive_internal=True)),
    *((SubjectKind.USER, person.sip, DirectoryUser(pool="fe01")) for person in (ALICE, BOB)),
]


def copies(*entries: Entry) -> list[Copy]:
    run = decoded(history(activated(), came(ALICE), came(BOB), said(ALICE, "hello"), source=HOST))
    return list(fold(Checkpoint(CONFERENCES, 0), run, {}, {}, governance=Governance(book(*PEOPLE, *entries))).copies)


@pytest.mark.parametrize(
    ("entries", "messages_only"),
    [
        ([(SubjectKind.CONFIGURATION, GLOBAL, BOTH)], False),
        (
            [(SubjectKind.CONFIGURATION, GLOBAL, BOTH), (SubjectKind.CONFIGURATION, "service:registrar:fe02", BOTH)],
            False,
        ),
        (
            [
                (SubjectKind.CONFIGURATION, GLOBAL, BOTH),
                (SubjectKind.CONFIGURATION, "service:registrar:fe02", MESSAGES),
            ],
            True,
        ),
        (
            [
                (SubjectKind.CONFIGURATION, GLOBAL, BOTH),
                (SubjectKind.POOL, "fe02", PoolPlace(site="berlin")),
                (SubjectKind.CONFIGURATION, "site:berlin", ArchivingConfiguration()),
            ],
            True,
        ),
        ([(SubjectKind.CONFIGURATION, "service:registrar:fe01", BOTH)], False),  # of the host nothing is known
    ],
    ids=["global", "own", "own without", "its site without", "unknown"],
)
def test_the_hosting_pool_says_what_of_a_conference_is_archived(entries: list[Entry], messages_only: bool) -> None:
    found = copies(*entries)
    assert {copy.target for copy in found} == {Target.LYNC}
    assert {copy.messages_only for copy in found} == {messages_only}
    assert archived(found[0], event(4, said(ALICE, "hello")))
    assert archived(found[0], event(3, came(BOB))) is not messages_only


@pytest.mark.parametrize(
    ("source", "pool"),
    [
        ("/pools/FE02/focus", "fe02"),
        ("/pools/fe02.contoso.example/focus", "fe02.contoso.example"),
        ("/pools/fe02/users/a/endpoints/1", ""),
        ("/pools/fe02", ""),
        ("/pools//focus", ""),
        ("pool/alice/desktop", ""),
        ("", ""),
    ],
)
def test_the_pool_of_a_source(source: str, pool: str) -> None:
    assert pool_of(source) == pool
