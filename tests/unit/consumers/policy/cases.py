"""The acceptance seeds of the decision (domain reference, section 10, numbers 1 and 2): what must come of each case."""

from typing import Final, NamedTuple

from consumers.policy.decision import SessionKind, Target
from consumers.policy.subject import GLOBAL, SubjectKind
from schemas.policies import (
    ArchivedSessions,
    ArchivingConfiguration,
    ArchivingPolicy,
    DirectoryUser,
    ExchangeArchiving,
    MailboxHold,
    PoolPlace,
)
from tests.support.policies import USER, Entry

_EXPECTED: Final = """
    user's policy              hold  exchange  none  im-only         im-and-web-conf
    uninitialized              no    no        -     lync/-          lync/lync
    uninitialized              no    yes       -     lync/-          lync/lync
    uninitialized              yes   no        -     lync/-          lync/lync
    uninitialized              yes   yes       -     exchange/-      exchange/exchange
    use-lync-archiving-policy  no    no        -     lync/-          lync/lync
    use-lync-archiving-policy  no    yes       -     lync/-          lync/lync
    use-lync-archiving-policy  yes   no        -     lync/-          lync/lync
    use-lync-archiving-policy  yes   yes       -     lync/-          lync/lync
    no-archiving               no    no        -     -/-             -/-
    no-archiving               no    yes       -     -/-             -/-
    no-archiving               yes   no        -     -/-             -/-
    no-archiving               yes   yes       -     -/-             -/-
    archiving-to-exchange      no    no        -     lync/-          lync/lync
    archiving-to-exchange      no    yes       -     exchange/-      exchange/exchange
    archiving-to-exchange      yes   no        -     lync/-          lync/lync
    archiving-to-exchange      yes   yes       -     exchange/-      exchange/exchange
"""
"""For IM and for a conference; the Lync policy archives everything here."""


class Case(NamedTuple):
    """One combination, and the targets for IM and for a conference."""

    exchange_archiving: ExchangeArchiving
    hold: bool
    exchange: bool
    sessions: ArchivedSessions
    im: Target
    conference: Target

    def entries(self) -> list[Entry]:
        """Return the policies that are in force."""
        configuration = ArchivingConfiguration(enable_archiving=self.sessions, enable_exchange_archiving=self.exchange)
        return [
            (SubjectKind.CONFIGURATION, GLOBAL, configuration),
            (SubjectKind.POLICY, GLOBAL, ArchivingPolicy(archive_internal=True, archive_external=True)),
            (SubjectKind.USER, USER, DirectoryUser(exchange_archiving=self.exchange_archiving)),
            (SubjectKind.HOLD, USER, MailboxHold(held=self.hold)),
        ]

    def target(self, kind: SessionKind) -> Target:
        """Return what must come of it."""
        return self.im if kind is SessionKind.IM else self.conference

    def __str__(self) -> str:
        hold, exchange = ("hold" if self.hold else "no hold"), ("exchange" if self.exchange else "no exchange")
        return f"{self.exchange_archiving}, {hold}, {exchange}, {self.sessions}"


def _cases() -> list[Case]:
    cases = []
    for line in _EXPECTED.strip().splitlines()[1:]:
        policy, hold, exchange, *targets = line.split()
        for sessions, both in zip(ArchivedSessions, targets, strict=True):
            im, _, conference = both.partition("/")
            wanted = [Target.NONE if name in {"-", ""} else Target(name) for name in (im, conference)]
            cases.append(Case(ExchangeArchiving(policy), hold == "yes", exchange == "yes", sessions, *wanted))
    return cases


CASES: Final = _cases()


class Precedence(NamedTuple):
    """One of the documentation's examples of which scope counts, and a session's target in it."""

    entries: list[Entry]
    kind: SessionKind
    external: bool
    target: Target


_BOTH: Final = ArchivingConfiguration(enable_archiving=ArchivedSessions.IM_AND_WEB_CONF)
_IM_ONLY: Final = ArchivingConfiguration(enable_archiving=ArchivedSessions.IM_ONLY)
_ALL: Final = ArchivingPolicy(archive_internal=True, archive_external=True)
_INTERNAL: Final = ArchivingPolicy(archive_internal=True)
_POOL: Final[Entry] = (SubjectKind.POOL, "pool1.contoso.example", PoolPlace(site="redmond"))


def _configured(site: ArchivingConfiguration | None, pool: ArchivingConfiguration | None) -> list[Entry]:
    return [
        (SubjectKind.CONFIGURATION, GLOBAL, _IM_ONLY),
        (SubjectKind.CONFIGURATION, "site:redmond", site),
        (SubjectKind.CONFIGURATION, "service:registrar:pool1.contoso.example", pool),
        (SubjectKind.POLICY, GLOBAL, _ALL),
        (SubjectKind.USER, USER, DirectoryUser(pool="pool1.contoso.example")),
        _POOL,
    ]


def _ruled(own: ArchivingPolicy | None, site: ArchivingPolicy | None) -> list[Entry]:
    return [
        (SubjectKind.CONFIGURATION, GLOBAL, _BOTH),
        (SubjectKind.POLICY, GLOBAL, _ALL),
        (SubjectKind.POLICY, "site:redmond", site),
        (SubjectKind.POLICY, "tag:own", own),
        (SubjectKind.USER, USER, DirectoryUser(pool="pool1.contoso.example", policy="own")),
        _POOL,
    ]


CONFIGURATIONS: Final = [
    Precedence(_configured(site, pool), kind, False, target)
    for site, pool, conference in (
        (None, None, Target.NONE),
        (_BOTH, None, Target.LYNC),
        (_BOTH, _IM_ONLY, Target.NONE),
        (None, _BOTH, Target.LYNC),
    )
    for kind, target in ((SessionKind.IM, Target.LYNC), (SessionKind.CONFERENCE, conference))
]
"""Pool before site before global (domain reference, section 1.2): the documentation's own example is the third."""

POLICIES: Final = [
    Precedence(_ruled(own, site), SessionKind.IM, external, target)
    for own, site, outside in (
        (None, None, Target.LYNC),
        (None, _INTERNAL, Target.NONE),
        (_ALL, _INTERNAL, Target.LYNC),
        (_INTERNAL, None, Target.NONE),
    )
    for external, target in ((False, Target.LYNC), (True, outside))
]
"""User before site before global (domain reference, section 1.3): the documentation's own example is the second."""
