"""The decision: where what somebody said or saw is archived, and by which rules (domain reference, section 1.5).

Pure and driven by two tables. Where the sources disagree (section 0.1), a named switch takes the other reading.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from consumers.policy.book import PolicyBook
from schemas.policies import EXCHANGE_2013, ArchivedSessions, DirectoryUser, ExchangeArchiving


class SessionKind(StrEnum):
    """What kind of session it is; a call is neither, and never archived."""

    IM = "im"
    CONFERENCE = "conference"


class Target(StrEnum):
    """Where it is archived. Stored, so a member is never renamed."""

    NONE = "none"
    LYNC = "lync"
    EXCHANGE = "exchange"


class Route(StrEnum):
    """Who has the say, once archiving covers the kind of session."""

    NOWHERE = "nowhere"
    LYNC_POLICY = "lync-policy"
    EXCHANGE = "exchange"


COVERED: Final[dict[ArchivedSessions, frozenset[SessionKind]]] = {
    ArchivedSessions.NONE: frozenset(),
    ArchivedSessions.IM_ONLY: frozenset({SessionKind.IM}),
    ArchivedSessions.IM_AND_WEB_CONF: frozenset(SessionKind),
}
"""The kinds of session that each value of `EnableArchiving` covers."""

ROUTES: Final[dict[tuple[ExchangeArchiving, bool, bool], Route]] = {
    # user's ExchangeArchivingPolicy; whether Exchange takes it (configuration, mailbox of 2013 or later); on hold
    (ExchangeArchiving.UNINITIALIZED, False, False): Route.LYNC_POLICY,
    (ExchangeArchiving.UNINITIALIZED, False, True): Route.LYNC_POLICY,
    (ExchangeArchiving.UNINITIALIZED, True, False): Route.LYNC_POLICY,
    (ExchangeArchiving.UNINITIALIZED, True, True): Route.EXCHANGE,
    (ExchangeArchiving.USE_LYNC, False, False): Route.LYNC_POLICY,
    (ExchangeArchiving.USE_LYNC, False, True): Route.LYNC_POLICY,
    (ExchangeArchiving.USE_LYNC, True, False): Route.LYNC_POLICY,
    (ExchangeArchiving.USE_LYNC, True, True): Route.LYNC_POLICY,
    (ExchangeArchiving.NO_ARCHIVING, False, False): Route.NOWHERE,
    (ExchangeArchiving.NO_ARCHIVING, False, True): Route.NOWHERE,
    (ExchangeArchiving.NO_ARCHIVING, True, False): Route.NOWHERE,
    (ExchangeArchiving.NO_ARCHIVING, True, True): Route.NOWHERE,
    # Exchange takes nothing: rather kept by the Lync policy than not at all
    (ExchangeArchiving.TO_EXCHANGE, False, False): Route.LYNC_POLICY,
    (ExchangeArchiving.TO_EXCHANGE, False, True): Route.LYNC_POLICY,
    (ExchangeArchiving.TO_EXCHANGE, True, False): Route.EXCHANGE,
    (ExchangeArchiving.TO_EXCHANGE, True, True): Route.EXCHANGE,
}
"""Every combination, spelt out: a case that is missing would be a decision that nobody took."""


@dataclass(frozen=True, slots=True)
class Switches:
    """Readings of what the sources contradict each other in (domain reference, section 0.1).

    `exchange_heeds_policy`: archiving to Exchange, too, is held to ArchiveInternal and ArchiveExternal (number 2).
    `purge_exported_or_expired`: PurgeExportedArchivesOnly purges what is exported or expired, not only what is both
    (number 3).
    """

    exchange_heeds_policy: bool = False
    purge_exported_or_expired: bool = False


class Step(NamedTuple):
    """One rule on the way to the decision, and what it said."""

    rule: str
    said: str


class Decision(NamedTuple):
    """The target, and the rules that led there, in their order."""

    target: Target
    path: tuple[Step, ...]


def decide(
    book: PolicyBook,
    sip: str,
    moment: datetime,
    kind: SessionKind,
    *,
    external: bool,
    switches: Switches = Switches(),
) -> Decision:
    """Decide for one user, by what is in force at `moment` (aware, UTC), the time of the event.

    `external` says whether anybody without an account in the organisation takes part. Somebody without an account has
    no pool and no policy of their own, and no mailbox here: they are archived nowhere.
    """
    user = book.user(sip, moment)
    if user is None:
        return Decision(Target.NONE, (Step("account", "there is none"),))
    configuration, scope = book.configuration(user.pool, moment)
    path = [Step("EnableArchiving", f"{configuration.enable_archiving} ({scope})")]
    if kind not in COVERED[configuration.enable_archiving]:
        return Decision(Target.NONE, (*path, Step("session", f"{kind} is not covered")))
    takes = configuration.enable_exchange_archiving and user.mailbox >= EXCHANGE_2013
    held = book.held(sip, moment)
    path += [
        Step("ExchangeArchivingPolicy", str(user.exchange_archiving)),
        Step("EnableExchangeArchiving", f"{_yes(configuration.enable_exchange_archiving)} ({scope})"),
        Step("mailbox", f"Exchange {user.mailbox}" if user.mailbox else "none"),
        Step("hold", _yes(held)),
    ]
    route = ROUTES[user.exchange_archiving, takes, held]
    path.append(Step("route", str(route)))
    if route is Route.NOWHERE:
        return Decision(Target.NONE, tuple(path))
    if route is Route.EXCHANGE and not switches.exchange_heeds_policy:
        return Decision(Target.EXCHANGE, tuple(path))
    covered, step = _by_policy(book, user, moment, external=external)
    target = Target.EXCHANGE if route is Route.EXCHANGE else Target.LYNC
    return Decision(target if covered else Target.NONE, (*path, step))


def _by_policy(book: PolicyBook, user: DirectoryUser, moment: datetime, *, external: bool) -> tuple[bool, Step]:
    policy, scope = book.policy(user, moment)
    name = "ArchiveExternal" if external else "ArchiveInternal"
    said = policy.archive_external if external else policy.archive_internal
    return said, Step(name, f"{_yes(said)} ({scope})")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
