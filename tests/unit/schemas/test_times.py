"""Times are RFC 3339, strict on the way in, and UTC with the digits they came with."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schemas.errors import Cause, MalformedRecord
from schemas.times import format_time, parse_time


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-29T02:00:00Z",
        "2026-03-29T02:00:00.0Z",
        "2026-03-29T02:00:00.123456Z",
        "2026-03-29T02:00:00.123456789Z",
        "2024-02-29T23:59:59.999999999Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
    ],
)
def test_utc_is_kept_verbatim(text: str) -> None:
    """A time in UTC keeps every digit, nanoseconds included."""
    assert parse_time(text)[0] == text


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [("2026-03-29T02:00:00.1Z", 100_000), ("2026-03-29T02:00:00.123456999Z", 123_456), ("2026-03-29T02:00:00Z", 0)],
)
def test_moment_is_cut_to_the_microsecond(text: str, microsecond: int) -> None:
    """The datetime never rounds up, so that it is never in the next second."""
    assert parse_time(text)[1] == datetime(2026, 3, 29, 2, 0, 0, microsecond, UTC)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-29T02:00:00+02:00", "2026-03-29T00:00:00Z"),
        ("2026-03-28T21:30:00-04:30", "2026-03-29T02:00:00Z"),
        ("2026-03-29T02:00:00.5+14:00", "2026-03-28T12:00:00.500000Z"),
        ("2026-03-29T02:00:00.123456789+00:00", "2026-03-29T02:00:00.123456Z"),
        ("2026-03-29T02:00:00-00:00", "2026-03-29T02:00:00Z"),
        ("2026-03-29T23:59:59-23:59", "2026-03-30T23:58:59Z"),
    ],
)
def test_another_offset_becomes_utc(text: str, utc: str) -> None:
    """A time with an offset is converted, to the microsecond."""
    at, moment = parse_time(text)
    assert at == utc
    assert moment.utcoffset() == timedelta()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-29",
        "2026-03-29T02:00Z",
        "2026-03-29T02:00:00",
        "2026-03-29 02:00:00Z",
        "2026-03-29t02:00:00Z",
        "2026-03-29T02:00:00z",
        "2026-03-29T02:00:00,5Z",
        "2026-03-29T02:00:00.Z",
        "2026-03-29T02:00:00.1234567890Z",
        "2026-03-29T02:00:00+0200",
        "2026-03-29T02:00:00+02",
        "20260329T020000Z",
        "2026-W13-7T02:00:00Z",
        "2026-088T02:00:00Z",
        "2026-02-30T02:00:00Z",
        "2025-02-29T02:00:00Z",
        "2026-13-01T02:00:00Z",
        "2026-03-29T24:00:00Z",
        "2026-03-29T02:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-03-29T02:00:00+24:00",
        "2026-03-29T02:00:00+02:60",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "12026-03-29T02:00:00Z",
        "-2026-03-29T02:00:00Z",
        " 2026-03-29T02:00:00Z",
        "2026-03-29T02:00:00Z\n",
        "٢٠٢٦-03-29T02:00:00Z",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """What is not RFC 3339 with a zone, or is no moment of years 1 to 9999, is a bad time."""
    with pytest.raises(MalformedRecord) as caught:
        parse_time(text)
    assert caught.value.cause is Cause.BAD_TIME


def test_format_time() -> None:
    """A datetime is written in UTC, with a fraction only where there is one, and read back as itself."""
    moment = datetime(2026, 3, 29, 2, 0, 0, 500_000, timezone(timedelta(hours=2)))
    assert format_time(moment) == "2026-03-29T00:00:00.500000Z"
    assert format_time(moment.replace(microsecond=0)) == "2026-03-29T00:00:00Z"
    assert parse_time(format_time(moment))[1] == moment
