"""The rules of retention: every combination of what a purge looks at, hours of the day, and the sweep's moments."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from consumers.conversation import Conversation, Ending, Member
from consumers.policy.book import PolicyBook
from consumers.policy.decision import Switches, Target
from consumers.policy.retention import (
    EVER,
    EXPIRY,
    ArchivedCopy,
    DailyRule,
    ManualRule,
    Remains,
    Verdict,
    hour_came,
    sweep_interval_h,
    sweep_verdict,
)
from consumers.policy.subject import GLOBAL, SubjectKind
from consumers.transitions import Kind, Phase
from schemas.events import Role
from schemas.policies import ArchivingConfiguration, DirectoryUser, MailboxHold, PoolPlace
from schemas.times import format_time
from tests.support.policies import DAWN, USER, book

NOW = DAWN + timedelta(days=100, hours=12)
OTHER = "sip:bob@contoso.example"


def copy(target: Target = Target.LYNC, *, exported: bool = False) -> ArchivedCopy:
    return ArchivedCopy("1" * 32, USER, target, 3 if exported else None)


def talk(age: timedelta, kind: Kind = Kind.CONVERSATION) -> Conversation:
    return Conversation("c1", kind, segments=3, last_at=format_time(NOW - age), held=((1, 4),))


def governed(*, held: bool = False, **configuration: object) -> PolicyBook:
    return book(
        (SubjectKind.CONFIGURATION, GLOBAL, ArchivingConfiguration.model_validate(configuration)),
        (SubjectKind.USER, USER, DirectoryUser()),
        (SubjectKind.HOLD, USER, MailboxHold(held=held)),
    )


def expected(target: Target, *, held: bool, enabled: bool, old: bool, exported: bool, only: bool, either: bool) -> bool:
    """Say in plain words whether the daily purge takes a copy (domain reference, sections 1.2, 1.7 and 0.1, 3)."""
    if target is not Target.LYNC or held or not enabled:
        return False
    if not only:
        return old
    return (old or exported) if either else (old and exported)


BOTH = (False, True)


def test_the_daily_purge_in_every_combination() -> None:
    """EnablePurging x age x exported x PurgeExportedArchivesOnly, with holds, targets and the other reading."""
    looked = 0
    for target, held, enabled, old, exported, only, either in product(
        (Target.LYNC, Target.EXCHANGE), BOTH, BOTH, BOTH, BOTH, BOTH, BOTH
    ):
        policies = governed(
            held=held,
            enable_purging=enabled,
            keep_archiving_data_for_days=7,
            purge_exported_archives_only=only,
        )
        rule = DailyRule(policies, NOW, EVER, Switches(purge_exported_or_expired=either))
        conversation = talk(timedelta(days=7, seconds=1) if old else timedelta(days=7))
        verdict = rule.verdict(copy(target, exported=exported), conversation)
        wanted = expected(target, held=held, enabled=enabled, old=old, exported=exported, only=only, either=either)
        assert (verdict is Verdict.TAKEN) == wanted, (target, held, enabled, old, exported, only, either)
        looked += 1
    assert looked == 128


def test_a_manual_purge_in_every_combination() -> None:
    """EnablePurging and the hour play no part; holds, Exchange, age and exports do."""
    for target, held, enabled, old, exported, only in product(
        (Target.LYNC, Target.EXCHANGE), BOTH, BOTH, BOTH, BOTH, BOTH
    ):
        rule = ManualRule(governed(held=held, enable_purging=enabled), NOW, older_than_h=5, exported_only=only)
        conversation = talk(timedelta(hours=5, seconds=1) if old else timedelta(hours=5))
        verdict = rule.verdict(copy(target, exported=exported), conversation)
        wanted = target is Target.LYNC and not held and old and (exported or not only)
        assert (verdict is Verdict.TAKEN) == wanted, (target, held, enabled, old, exported, only)


def test_the_table_has_every_case() -> None:
    """No combination is left to a default."""
    assert EXPIRY.keys() == set(product(BOTH, repeat=4))


def test_why_a_copy_stays() -> None:
    """Each reason has its name."""
    old, young = talk(timedelta(days=50)), talk(timedelta(days=1))
    rule = DailyRule(governed(enable_purging=True, purge_exported_archives_only=True), NOW, EVER)
    assert rule.verdict(copy(Target.EXCHANGE), old) is Verdict.EXCHANGE
    assert rule.verdict(copy(), old) is Verdict.UNEXPORTED
    assert rule.verdict(copy(exported=True), young) is Verdict.YOUNG
    assert DailyRule(governed(), NOW, EVER).verdict(copy(), old) is Verdict.OFF
    assert DailyRule(governed(enable_purging=True), NOW, NOW).verdict(copy(), old) is Verdict.WAITING
    assert DailyRule(governed(enable_purging=True, held=True), NOW, EVER).verdict(copy(), old) is Verdict.HELD


def test_what_came_after_an_export_is_not_exported() -> None:
    """A copy whose conversation has more segments than when it was exported counts as unexported."""
    rule = DailyRule(governed(enable_purging=True, purge_exported_archives_only=True), NOW, EVER)
    conversation = talk(timedelta(days=50))._replace(segments=4)
    assert rule.verdict(copy(exported=True), conversation) is Verdict.UNEXPORTED


def test_an_owners_configuration_is_that_of_their_pool() -> None:
    """Pool before site before global, as everywhere; who has no account has the global one."""
    policies = book(
        (SubjectKind.CONFIGURATION, GLOBAL, ArchivingConfiguration(enable_purging=True)),
        (SubjectKind.CONFIGURATION, "site:east", ArchivingConfiguration(keep_archiving_data_for_days=90)),
        (
            SubjectKind.CONFIGURATION,
            "service:registrar:pool1",
            ArchivingConfiguration(enable_purging=True, keep_archiving_data_for_days=40),
        ),
        (SubjectKind.POOL, "pool1", PoolPlace(site="east")),
        (SubjectKind.POOL, "pool2", PoolPlace(site="east")),
        (SubjectKind.USER, USER, DirectoryUser(pool="pool1")),
        (SubjectKind.USER, OTHER, DirectoryUser(pool="pool2")),
    )
    rule = DailyRule(policies, NOW, EVER)
    months = talk(timedelta(days=30))
    owners = (USER, OTHER, "sip:guest@elsewhere.example")
    found = [rule.verdict(copy()._replace(mailbox=owner), months) for owner in owners]
    assert found == [Verdict.YOUNG, Verdict.OFF, Verdict.TAKEN]
    assert rule.before == NOW - timedelta(days=14)


def test_how_far_a_daily_purge_looks() -> None:
    """No further than the shortest limit of those that are due; not at all where none is."""
    assert DailyRule(governed(), NOW, EVER).before is None
    assert DailyRule(governed(enable_purging=True), NOW, NOW).before is None
    assert DailyRule(governed(enable_purging=True), NOW, EVER, Switches(purge_exported_or_expired=True)).before == NOW


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return DAWN + timedelta(days=day, hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("since", "now", "came"),
    [
        (None, at(1, 1, 59), False),
        (None, at(1, 2), True),
        (None, at(1, 23), True),
        (at(1, 2), at(1, 3), False),  # ran today
        (at(1, 1, 59), at(1, 2), True),
        (at(1, 9), at(2, 1, 59), False),
        (at(1, 9), at(2, 2), True),
        (at(0, 9), at(2, 1), True),  # nobody ran it yesterday
        (EVER, at(1, 0), True),
    ],
)
def test_the_hour_comes_once_a_day(since: datetime | None, now: datetime, came: bool) -> None:
    """At two: the first look at or after it, and no other until it is two again."""
    assert hour_came(2, since, now) is came


def meeting(age: timedelta, *, complete: bool = True, **facts: Any) -> Remains:
    ending = Ending(4, "") if complete else None
    phase = Phase.ENDED if complete else Phase.OPEN
    members = {USER: Member(USER, "", Role.ATTENDEE, 1, "")}
    conversation = talk(age, Kind.CONFERENCE)._replace(ending=ending, phase=phase, members=members)
    fields = {name: value for name, value in facts.items() if name in Conversation._fields}
    others = {name: value for name, value in facts.items() if name in Remains._fields}
    return Remains(conversation._replace(**fields))._replace(**others)


DAY, PAST = timedelta(days=1), timedelta(days=30)


@pytest.mark.parametrize(
    ("remains", "verdict"),
    [
        (meeting(PAST), Verdict.TAKEN),
        (meeting(PAST, kept=True), Verdict.ARCHIVED),
        (meeting(PAST, kind=Kind.CONVERSATION), Verdict.ARCHIVED),
        (meeting(PAST, copies=(copy(),)), Verdict.ARCHIVED),
        (meeting(PAST, seen=True), Verdict.SEEN),
        (meeting(DAY), Verdict.TAKEN),
        (meeting(DAY - timedelta(seconds=1)), Verdict.YOUNG),
        (meeting(PAST, complete=False), Verdict.OPEN),
        (meeting(PAST, complete=False, watermark=NOW - PAST + DAY - timedelta(seconds=1)), Verdict.OPEN),
        (meeting(PAST, complete=False, watermark=NOW - PAST + DAY), Verdict.TAKEN),
        (meeting(PAST, held=((1, 2), (4, 4))), Verdict.OPEN),
    ],
)
def test_what_a_sweep_takes(remains: Remains, verdict: Verdict) -> None:
    """A meeting that nobody keeps and nobody sees, a day after it ended, once nobody can still come to have joined."""
    assert sweep_verdict(governed(), remains, NOW) is verdict


def test_nothing_is_swept_without_policies() -> None:
    """An archive that nobody governs keeps everything."""
    assert sweep_verdict(PolicyBook(), meeting(PAST), NOW) is Verdict.ARCHIVED


def test_the_longest_interval_of_the_members_pools_counts() -> None:
    """Where none of them has an account, the global one; where there is no configuration, the default."""
    policies = book(
        (SubjectKind.CONFIGURATION, GLOBAL, ArchivingConfiguration(cache_purging_interval_h=168)),
        (SubjectKind.CONFIGURATION, "service:registrar:pool1", ArchivingConfiguration(cache_purging_interval_h=8)),
        (SubjectKind.CONFIGURATION, "service:registrar:pool2", ArchivingConfiguration(cache_purging_interval_h=48)),
        (SubjectKind.USER, USER, DirectoryUser(pool="pool1")),
        (SubjectKind.USER, OTHER, DirectoryUser(pool="pool2")),
    )
    guest = "sip:guest@elsewhere.example"
    assert sweep_interval_h(policies, [USER], NOW) == 8
    assert sweep_interval_h(policies, [USER, OTHER, guest], NOW) == 48
    assert sweep_interval_h(policies, [guest], NOW) == 168
    assert sweep_interval_h(PolicyBook(), [USER], NOW) == 24
