"""When records are handed on: as fast as can be, or at a multiple of the speed at which they were recorded."""

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from schemas.clock import Clock
from schemas.errors import MalformedRecord
from schemas.json_text import parse_object, to_text
from schemas.record import Headers, Record
from schemas.times import format_time, parse_time

_STRUCTURED: Final = b"application/cloudevents+json"
_TICK: Final = timedelta(milliseconds=1)


async def paced(records: Iterable[Record], speed: float | None, clock: Clock) -> AsyncIterator[Record]:
    """Yield each record when it is due: `speed` times as fast as their timestamps say, or at once where it is None.

    A record whose timestamp is behind the first one's is due at once.
    """
    first_ms: int | None = None
    begun = clock.monotonic()
    for record in records:
        if speed is not None:
            if first_ms is None:
                first_ms = record.timestamp_ms
            due = begun + (record.timestamp_ms - first_ms) / 1000 / speed
            delay_s = due - clock.monotonic()
            if delay_s > 0:
                await clock.sleep(delay_s)
        yield record


def behind(records: Iterable[Record], speed: float | None) -> timedelta:
    """Return how long before now the first record's time must be for none to come before its own time.

    At a speed above 1, and where it is None, the latest record then comes at its time, and the others after theirs:
    Kafka takes no time that is more than an hour ahead, nor does anything happen before it does.
    """
    first_ms: int | None = None
    latest_ms = 0
    for record in records:
        if record.timestamp_ms >= 0:
            first_ms = record.timestamp_ms if first_ms is None else first_ms
            latest_ms = max(latest_ms, record.timestamp_ms)
    if first_ms is None:
        return timedelta(0)
    gained = 1.0 if speed is None else max(0.0, 1 - 1 / speed)
    return (latest_ms - first_ms) * gained * _TICK


def shifted(records: Iterable[Record], now: datetime) -> Iterator[Record]:
    """Yield the records with all their times moved by as much as makes the first record's timestamp `now`.

    That is the timestamp, and the event's time in a header or in a structured event. A time that is none stays, and
    so does a timestamp that the record does not have.
    """
    shift_ms: int | None = None
    for record in records:
        if shift_ms is None and record.timestamp_ms >= 0:
            shift_ms = int(now.timestamp() * 1000) - record.timestamp_ms
        yield record if shift_ms is None else _shifted(record, shift_ms)


def _shifted(record: Record, shift_ms: int) -> Record:
    timestamp_ms = max(0, record.timestamp_ms + shift_ms) if record.timestamp_ms >= 0 else record.timestamp_ms
    return record._replace(
        timestamp_ms=timestamp_ms,
        headers=tuple(
            (name, _shifted_time(value, shift_ms) if name == "ce_time" and value is not None else value)
            for name, value in record.headers
        ),
        value=_shifted_value(record.value, shift_ms) if _is_structured(record.headers) else record.value,
    )


def _is_structured(headers: Headers) -> bool:
    return any(
        name == "content-type" and value is not None and value.startswith(_STRUCTURED) for name, value in headers
    )


def _shifted_value(value: bytes | None, shift_ms: int) -> bytes | None:
    if value is None:
        return None
    try:
        document = parse_object(value)
    except MalformedRecord:
        return value
    time = document.get("time")
    if not isinstance(time, str):
        return value
    document["time"] = _shifted_time(time.encode(errors="surrogatepass"), shift_ms).decode(errors="surrogatepass")
    return to_text(document)


def _shifted_time(time: bytes, shift_ms: int) -> bytes:
    try:
        _, moment = parse_time(time.decode())
        return format_time(moment + shift_ms * _TICK).encode()
    except (MalformedRecord, UnicodeDecodeError, OverflowError):
        return time
