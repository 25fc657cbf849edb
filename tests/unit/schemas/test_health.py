"""Reports of health on the wire: read as they were written, and nothing else is taken for one."""

from datetime import timedelta

import pytest

from schemas.errors import Cause, MalformedRecord
from schemas.health import HEALTH_TOPIC, Condition, StoreHealth, health_of, health_record, withdrawal
from schemas.record import Record
from tests.support.clock import START

REPORT = StoreHealth(
    archiver="exchange-1-77-abc",
    store=Condition.FAILING,
    files=Condition.OK,
    since=START,
    at=START + timedelta(seconds=2, milliseconds=5),
)
RECORD = health_record(REPORT, HEALTH_TOPIC)


def test_a_report_is_read_as_it_was_written() -> None:
    """Its key is the archiver, its time the record's; a withdrawal has the key alone."""
    assert health_of(RECORD) == REPORT
    assert (RECORD.key, RECORD.timestamp_ms) == (b"exchange-1-77-abc", int(REPORT.at.timestamp() * 1000))
    assert dict(RECORD.headers)["ce_type"] == b"lync.store.health.v1"
    left = withdrawal(REPORT.archiver, HEALTH_TOPIC, 1)
    assert (left.key, health_of(left)) == (RECORD.key, None)


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        (RECORD._replace(headers=()), Cause.UNKNOWN_TYPE),
        (RECORD._replace(value=b"{}"), Cause.SCHEMA_MISMATCH),
        (RECORD._replace(value=(RECORD.value or b"")[:-1] + b', "more": 1}'), Cause.SCHEMA_MISMATCH),
        (RECORD._replace(value=(RECORD.value or b"").replace(b"failing", b"poorly")), Cause.SCHEMA_MISMATCH),
        (RECORD._replace(value=(RECORD.value or b"").replace(b"Z", b"")), Cause.SCHEMA_MISMATCH),
        (RECORD._replace(key=b"somebody-else"), Cause.KEY_MISMATCH),
    ],
)
def test_what_is_no_report_is_refused(record: Record, cause: Cause) -> None:
    """Another type, another form, a time without a zone, or somebody else's key."""
    with pytest.raises(MalformedRecord) as refused:
        health_of(record)
    assert refused.value.cause is cause
