"""Hostile records in a stream of good ones: a seed decides every byte. What becomes of them is not known here."""

import json
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, count
from random import Random
from typing import Any, Final

from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.limits import CONVERSATION_CHARS_MAX, NAME_CHARS_MAX, PARTICIPANTS_MAX, TEXT_CHARS_MAX
from schemas.record import Headers, Record, header_name
from tests.fuzz.mutations import change_bytes, change_document

GOOD_SHARE: Final = 0.25
REPEATED_SHARE: Final = 0.05
RARE_SHARE: Final = 0.002
"""Of the hostile ones: those that take long to make, send or keep."""

LENT: Final = 200
"""Good records at hand to be repeated, changed, and to lend pieces to others."""

USERS: Final = 2000
HOURS: Final = 24

STAMPS_MS: Final = (-1, -5, 0, 1, 1_362_384_000_000)
NUMBERS: Final = (b"0", b"-1", b"1", b"2", b"9223372036854775807", b"9223372036854775808", b"1e9", b"", b"\xff", b"007")
TYPES: Final = (b"lync.conversation.message.v1", b"lync.conference.message.v1", b"lync.call.ended.v1", b"x.v2", b"")
NAMES: Final = ("ce_id", "ce_type", "ce_sequence", "ce_time", "content-type", "", "x", "ce_", "ü\u2028", "CE_ID")

Change = Callable[[Random, Record, Record], Record]
"""Makes a hostile record of a good one; another good one lends pieces."""


def hostile_records(seed: int, topics: Topics) -> Iterator[Record]:
    """Yield records without end: simulated days, some of it twice, and about 70 percent that were tampered with."""
    rng = Random(f"{seed}/hostile")
    days = chain.from_iterable(simulate(USERS, HOURS, day, topics) for day in count(seed))
    lent: deque[Record] = deque((next(days) for _ in range(LENT)), LENT)
    yield from tuple(lent)
    for good in days:
        while rng.random() > GOOD_SHARE:
            yield _spoiled(rng, lent, topics)
        lent.append(good)
        yield good


def _spoiled(rng: Random, lent: deque[Record], topics: Topics) -> Record:
    record, other = lent[rng.randrange(LENT)], lent[rng.randrange(LENT)]
    if rng.random() < REPEATED_SHARE:
        return record
    if rng.random() < RARE_SHARE:
        return rng.choice(_RARE)(rng, record, other)
    if rng.random() < 0.05:
        wrong = topics.conferences if record.topic == topics.conversations else topics.conversations
        return record._replace(topic=wrong)
    for _ in range(rng.choice((1, 1, 1, 2))):
        record = rng.choice(_CHANGES)(rng, record, other)
    return record


def _value_bytes(rng: Random, record: Record, other: Record) -> Record:
    return record._replace(value=change_bytes(rng, record.value or b"", [other.value or b""]))


def _value_document(rng: Random, record: Record, _: Record) -> Record:
    try:
        document = json.loads(record.value or b"")
    except (ValueError, RecursionError):
        return record
    return record._replace(value=change_document(rng, document)) if isinstance(document, dict) else record


def _value_of_other(_: Random, record: Record, other: Record) -> Record:
    return record._replace(value=other.value)


def _value_none(rng: Random, record: Record, _: Record) -> Record:
    return record._replace(value=rng.choice((None, b"", b"null", b"[]", b"{}", b"\0")))


def _key(rng: Random, record: Record, other: Record) -> Record:
    key = record.key or b""
    return record._replace(key=rng.choice((None, b"", other.key, key[:-1], change_bytes(rng, key, [b"\xff"]))))


def _stamp(rng: Random, record: Record, _: Record) -> Record:
    return record._replace(timestamp_ms=rng.choice(STAMPS_MS))


def _noise(rng: Random, record: Record, _: Record) -> Record:
    headers = tuple((rng.choice(NAMES), rng.randbytes(rng.randrange(9))) for _ in range(rng.randrange(9)))
    key, value = rng.randbytes(rng.randrange(30)), rng.randbytes(rng.randrange(300))
    return record._replace(key=key, headers=headers, value=value)


def _header_value(rng: Random, record: Record, other: Record) -> Record:
    if not record.headers:
        return record
    at = rng.randrange(len(record.headers))
    name, value = record.headers[at]
    lent = dict(other.headers).get(name)
    changed = rng.choice((None, b"", lent, change_bytes(rng, value or b"", [lent or b"x"]), rng.choice(TYPES)))
    return _with_header(record, at, (name, changed))


def _header_sequence(rng: Random, record: Record, _: Record) -> Record:
    number = rng.choice((*NUMBERS, b"%d" % rng.randrange(1, 100), b"%d" % rng.randrange(2**63)))
    headers = tuple((name, number if name == "ce_sequence" else value) for name, value in record.headers)
    return record._replace(headers=headers)


def _header_name(rng: Random, record: Record, _: Record) -> Record:
    if not record.headers:
        return record
    at = rng.randrange(len(record.headers))
    name, value = record.headers[at]
    changed = rng.choice((*NAMES, name.upper(), f"{name} ", f"{name}\0"))
    return _with_header(record, at, (changed, value))


def _headers_moved(rng: Random, record: Record, other: Record) -> Record:
    headers = list(record.headers)
    match rng.randrange(4):
        case 0:
            rng.shuffle(headers)
        case 1:
            headers = list(other.headers)
        case 2:
            headers += rng.sample(headers, min(2, len(headers)))
        case _ if headers:
            del headers[rng.randrange(len(headers))]
    return record._replace(headers=tuple(headers))


def _with_header(record: Record, at: int, header: tuple[str, bytes | None]) -> Record:
    return record._replace(headers=(*record.headers[:at], header, *record.headers[at + 1 :]))


def _structured(rng: Random, record: Record, _: Record) -> Record:
    try:
        document: dict[str, Any] = {
            name.removeprefix("ce_").replace("content-type", "datacontenttype"): (value or b"").decode()
            for name, value in record.headers
        } | {"data": json.loads(record.value or b"")}
    except (ValueError, RecursionError):
        return record
    value = json.dumps(document).encode() if rng.random() < 0.3 else change_document(rng, document)
    return record._replace(headers=(("content-type", b"application/cloudevents+json"),), value=value)


def _conversation(rng: Random, record: Record, _: Record) -> Record:
    """The id, key included, becomes another, at the limit of length or of sense."""
    name = (record.key or b"x")[:40]
    key = rng.choice((name + b"x" * (CONVERSATION_CHARS_MAX + rng.randrange(-1, 2) - len(name)), b"\0", b"", b" "))
    plain, new = (json.dumps(part.decode(errors="replace")).encode() for part in (record.key or b"", key))
    return record._replace(key=key, value=(record.value or b"").replace(plain, new))


def _odd_name(rng: Random, record: Record, _: Record) -> Record:
    name = header_name(rng.choice((b"\xff", b"x\xfe", b"ce_\xed\xa0\x80", b"content-type\xc0")))
    odd: Headers = ((name, rng.choice((None, b"", b"x"))),)
    return record._replace(headers=odd + record.headers if rng.random() < 0.5 else record.headers + odd)


def _many_headers(rng: Random, record: Record, _: Record) -> Record:
    many: Headers = (("x", b"y"), ("", None)) * rng.choice((400, 600, 5000))
    return record._replace(headers=record.headers + many)


def _many_people(rng: Random, record: Record, _: Record) -> Record:
    people = [
        {"sip": f"sip:p{number}@x.example", "name": "n" * (NAME_CHARS_MAX if number == 0 else 1), "role": "attendee"}
        for number in range(PARTICIPANTS_MAX + rng.randrange(-1, 2))
    ]
    return _with_data(record, participants=people)


def _long_text(rng: Random, record: Record, _: Record) -> Record:
    return _with_data(record, text="x" * (TEXT_CHARS_MAX - rng.choice((0, 200, 300, 500_000))))


def _deep(rng: Random, record: Record, _: Record) -> Record:
    depth = rng.choice((100, 10_000, 500_000))
    return record._replace(value=b'{"a":' + rng.choice((b"[", b'{"a":')) * depth)


def _with_data(record: Record, **changed: object) -> Record:
    data = json.loads(record.value or b"{}")
    return record._replace(value=json.dumps(data | changed, separators=(",", ":")).encode())


_CHANGES: Final[tuple[Change, ...]] = (
    *(_value_bytes, _value_bytes, _value_document, _value_document, _value_document, _value_of_other, _value_none),
    *(_key, _stamp, _noise, _header_value, _header_value, _header_sequence, _header_name, _headers_moved),
    *(_structured, _conversation),
)

_RARE: Final[tuple[Change, ...]] = (_odd_name, _odd_name, _many_headers, _many_people, _long_text, _deep)
