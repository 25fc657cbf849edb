"""A short run of the attacks on the audit, and the whole one, which `python -m tests.fault.tampering` plays too."""

import pytest

from tests.conftest import StackAddresses
from tests.fault.tampering.campaign import Report, campaign

ARCHIVES, MUTATIONS = 5, 60
ALL_ARCHIVES, ALL_MUTATIONS = 100, 1000
SEED = 2013


async def test_what_is_altered_is_named_and_nothing_else_is(stack: StackAddresses, database: str) -> None:
    """Each mutation of an archive is found and named, and archives that nobody touched are clean, always."""
    report = await campaign(stack.mongodb_uri, database, ARCHIVES, MUTATIONS, SEED)
    _assert_whole(report, ARCHIVES, MUTATIONS)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_a_thousand_mutations_of_a_hundred_archives(stack: StackAddresses, database: str) -> None:
    """The same, of every collection that there is."""
    report = await campaign(stack.mongodb_uri, database, ALL_ARCHIVES, ALL_MUTATIONS, SEED)
    _assert_whole(report, ALL_ARCHIVES, ALL_MUTATIONS)
    assert report.collections.keys() >= report.attested


def _assert_whole(report: Report, archives: int, mutations: int) -> None:
    assert report.problems == []
    assert (report.archives, report.mutations.total()) == (archives, mutations)
    assert report.looks >= archives
