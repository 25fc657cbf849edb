"""The quarantine rate: counted by records, whatever the batches, and refused at the record that breaks it."""

from collections.abc import Sequence

import pytest

from consumers.batch import Quarantined
from consumers.quarantine_rate import QuarantineOverflow, RateLimit, Refusals, count_refusals
from schemas.errors import Cause
from schemas.record import Record
from tests.builders import CONVERSATIONS

LIMIT = RateLimit(0.5, 10)


def met(outcomes: str, batch: int, limit: RateLimit = LIMIT) -> Refusals:
    """Count records in batches: `.` is archived, `x` not; raise where the limit is broken."""
    records = [Record(*CONVERSATIONS, offset, 0, None, (), None) for offset in range(len(outcomes))]
    refusals = Refusals()
    for start in range(0, len(records), batch):
        few = records[start : start + batch]
        refusals = count_refusals(refusals, limit, few, refused(outcomes, few))
    return refusals


def refused(outcomes: str, records: Sequence[Record]) -> list[Quarantined]:
    return [Quarantined(one, Cause.UNKNOWN_TYPE, "x") for one in records if outcomes[one.offset] == "x"]


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    ("outcomes", "offset"),
    [("xxxxxx", 5), ("." * 50 + "xxxxxx", 55), (".x" * 20 + "xx", 40), ("xxxxx" + "." * 5 + "xxxxxx", 15)],
)
def test_the_limit_is_broken_at_one_record(outcomes: str, offset: int, batch: int) -> None:
    """The sixth of ten breaks a limit of one half, wherever batches begin."""
    met(outcomes[:offset], batch)
    with pytest.raises(
        QuarantineOverflow, match=rf"6 of the last 10 records .* \(6 unknown-type\), up to .* {offset};"
    ):
        met(outcomes, batch)


@pytest.mark.parametrize("batch", [1, 3, 100])
@pytest.mark.parametrize("outcomes", ["", "xxxxx", ".x" * 30, ("." * 5 + "x" * 5) * 4, "x" * 5 + "." * 5 + "x" * 5])
def test_what_stays_within_the_limit_passes(outcomes: str, batch: int) -> None:
    """One half is allowed, and so is a topic of few records that are all refused."""
    assert met(outcomes, batch).read == len(outcomes)


def test_a_ratio_of_one_is_no_limit() -> None:
    """All records may be refused; what is remembered stays within the window."""
    refusals = met("x" * 100, 7, RateLimit(1.0, 10))
    assert len(refusals.latest) <= 10
