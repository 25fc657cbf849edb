"""A short run of fuzzed records; `python -m tests.fault.fuzzed` is the long one."""

from dataclasses import replace

from schemas.login import ARCHIVER, PRODUCER
from tests.conftest import StackAddresses
from tests.fault.fuzzed import Logins, fuzz, settings
from tests.support.program import Program

RECORDS = 20_000
DEEP = ("sequence-conflict", "bad-sequence", "duplicate-keys", "wrong-topic", "oversized")
"""Causes that only records which are good as far as that can have."""


async def test_no_record_is_lost_whatever_it_is(stack: StackAddresses, program: Program) -> None:
    """Each fuzzed record is archived, a duplicate or in quarantine byte for byte, and no lane dies."""
    program = replace(program, settings=settings())
    report = await fuzz(program, Logins(stack.login(PRODUCER), stack.login(ARCHIVER)), RECORDS, seed=2013)
    assert report.problems == []
    assert report.counts.total() == RECORDS
    assert min(report.counts.values()) > RECORDS / 100
    assert [cause for cause in DEEP if not report.causes[cause]] == []
