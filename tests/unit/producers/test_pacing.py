"""Records are handed on when they are due, and moved in time as a whole."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta

import pytest

from producers.pacing import behind, paced, shifted
from schemas.record import Record
from tests.support.clock import ManualClock

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
NOW_MS = 1_767_603_600_000
RECORD = Record("t", 0, 0, 1_000, b"k", (), b"v")


def at(*times_ms: int) -> list[Record]:
    return [RECORD._replace(timestamp_ms=time_ms) for time_ms in times_ms]


async def arrivals(records: AsyncIterator[Record], clock: ManualClock) -> list[float]:
    return [clock.monotonic() async for _ in records]


async def at_speed(records: Iterable[Record], speed: float | None) -> list[float]:
    clock = ManualClock()
    task = asyncio.ensure_future(arrivals(paced(records, speed, clock), clock))
    await clock.advance_through(task)
    return task.result()


async def test_records_are_due_when_their_times_say() -> None:
    """At speed 2, what took two seconds takes one; a time that goes backwards is due at once."""
    assert await at_speed(at(1_000, 3_000, 2_000, 5_000), 2.0) == [0.0, 1.0, 1.0, 2.0]


async def test_at_full_speed_nobody_waits() -> None:
    """Without a speed, every record is due at once."""
    assert await at_speed(at(1_000, 9_000_000), None) == [0.0, 0.0]


def test_shifting_moves_every_time_alike() -> None:
    """The first record is now, and the distances stay; a time that the record does not have stays none."""
    headers = (("ce_time", b"1970-01-01T00:00:01.25Z"), ("ce_id", b"1970-01-01T00:00:01Z"), ("ce_time", None))
    first, second, none = shifted([RECORD._replace(headers=headers), *at(4_000, -1)], NOW)
    assert first.headers == (("ce_time", b"2026-01-05T09:00:00.250000Z"), headers[1], ("ce_time", None))
    assert (first.timestamp_ms, second.timestamp_ms, none.timestamp_ms) == (NOW_MS, NOW_MS + 3_000, -1)
    assert first.value == b"v"


def test_shifting_moves_structured_events() -> None:
    """The time inside a structured event moves too, and nothing else of it."""
    headers = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    value = json.dumps({"id": "é", "time": "1970-01-01T00:00:02Z", "data": {"time": "x"}}).encode()
    (record,) = shifted([RECORD._replace(headers=headers, value=value)], NOW)
    assert json.loads(record.value or b"") == {"id": "é", "time": "2026-01-05T09:00:01Z", "data": {"time": "x"}}


def test_shifting_leaves_what_is_no_time() -> None:
    """Damaged records stay damaged in the same way, and their timestamps move."""
    structured = (("content-type", b"application/cloudevents+json"),)
    damaged = [
        RECORD._replace(headers=(("ce_time", b"\xff"),)),
        RECORD._replace(headers=(("ce_time", b"9999-12-31T23:59:59Z"),)),
        RECORD._replace(headers=structured, value=b"{"),
        RECORD._replace(headers=structured, value=b'{"time":"soon"}'),
        RECORD._replace(headers=structured, value=b'{"time":1}'),
        RECORD._replace(headers=structured, value=b'{"time":"\\ud800"}'),
        RECORD._replace(headers=structured, value=None),
    ]
    assert list(shifted(damaged, NOW)) == [record._replace(timestamp_ms=NOW_MS) for record in damaged]


@pytest.mark.parametrize(
    ("speed", "hours"), [(None, 3.0), (10.0, 2.7), (1.0, 0.0), (0.5, 0.0)], ids=["max", "ten", "live", "slow"]
)
def test_what_is_replayed_faster_than_it_was_begins_earlier(speed: float | None, hours: float) -> None:
    """The record that is latest comes when its time is now, whatever the order; slower, each comes after its time."""
    records = at(-1, 1_000, 1_000 + 3 * 3_600_000, 5_000)
    assert behind(records, speed) == timedelta(hours=hours)


def test_what_has_no_times_begins_now() -> None:
    """There is nothing to move."""
    assert behind([], None) == behind(at(-1, -1), None) == timedelta(0)
