"""Decoding names the cause of every record that it refuses, and never repeats what the record says."""

from typing import Final

import pytest

from schemas.catalogue import Stream
from schemas.envelope import decode
from schemas.errors import Cause
from schemas.events import ConversationMessage
from schemas.limits import EVENT_ID_CHARS_MAX, RECORD_BYTES_MAX, SOURCE_CHARS_MAX
from schemas.record import Headers, Record
from tests.unit.schemas.records import (
    CANARY,
    KEY,
    LATIN_1,
    MESSAGE,
    STARTED,
    headers_of,
    headers_without,
    in_structured_mode,
    json_of,
    record_of,
    rejection,
    structured,
)


def test_a_good_record_decodes() -> None:
    """The record that the other tests spoil is a good one."""
    event = decode(record_of(), Stream.CONVERSATIONS)
    assert (event.id, event.sequence, event.data) == ("id-1", 2, ConversationMessage.model_validate(MESSAGE))
    assert decode(structured(), Stream.CONVERSATIONS) == event


def test_a_record_without_a_value_is_no_event() -> None:
    """A tombstone is refused, since nothing is ever deleted by key."""
    assert rejection(Record("topic", 0, 0, 0, KEY, headers_of(), None)).cause is Cause.MALFORMED_JSON


def test_size_limit() -> None:
    """A value of the limit is read, one byte more is not, whatever is in it."""
    padded = json_of(MESSAGE).ljust(RECORD_BYTES_MAX)
    assert decode(record_of(padded), Stream.CONVERSATIONS).sequence == 2
    assert rejection(record_of(padded + b" ")).cause is Cause.OVERSIZED
    assert rejection(record_of(CANARY.encode() * RECORD_BYTES_MAX)).cause is Cause.OVERSIZED


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((), id="none"),
        pytest.param(headers_without("ce_specversion"), id="no specversion"),
        pytest.param(headers_without("ce_id"), id="no id"),
        pytest.param(headers_without("ce_source"), id="no source"),
        pytest.param(headers_of(ce_specversion=b"0.3"), id="old specversion"),
        pytest.param(headers_of(ce_specversion=b"1.0 "), id="padded specversion"),
        pytest.param(headers_of(ce_specversion=None), id="null specversion"),
        pytest.param(headers_of(ce_id=b""), id="empty id"),
        pytest.param(headers_of(ce_id=None), id="null id"),
        pytest.param(headers_of(ce_id=CANARY.encode() * EVENT_ID_CHARS_MAX), id="long id"),
        pytest.param(headers_of(ce_source=CANARY.encode() * SOURCE_CHARS_MAX), id="long source"),
        pytest.param(headers_of(ce_id=LATIN_1), id="id in Latin-1"),
        pytest.param(headers_of(ce_source=LATIN_1), id="source in Latin-1"),
        pytest.param(headers_of(ce_type=LATIN_1), id="type in Latin-1"),
        pytest.param(headers_of(ce_time=LATIN_1), id="time in Latin-1"),
        pytest.param((*headers_of(), ("ce_id", b"id-1")), id="id twice"),
        pytest.param((*headers_of(), ("content-type", b"application/json")), id="content type twice"),
        pytest.param((*headers_of(), ("ce_custom", b"1"), ("ce_custom", b"2")), id="extension twice"),
        pytest.param(headers_of(**{"content-type": b"text/plain"}), id="text"),
        pytest.param(headers_of(**{"content-type": b"application/cloudevents-batch+json"}), id="batch"),
    ],
)
def test_malformed_headers(headers: Headers) -> None:
    """An attribute that is missing, doubled, too long or not UTF-8 spoils the record."""
    assert rejection(record_of(headers=headers)).cause is Cause.MALFORMED_HEADERS


@pytest.mark.parametrize("header", ["ce_id", "ce_source"])
def test_longest_attributes(header: str) -> None:
    """Ids and sources are counted in characters, not in bytes."""
    longest = {"ce_id": EVENT_ID_CHARS_MAX, "ce_source": SOURCE_CHARS_MAX}[header]
    assert decode(record_of(headers=headers_of(**{header: ("é" * longest).encode()})), Stream.CONVERSATIONS)
    long = record_of(headers=headers_of(**{header: ("é" * (longest + 1)).encode()}))
    assert rejection(long).cause is Cause.MALFORMED_HEADERS


@pytest.mark.parametrize("content_type", [None, b"application/json; charset=utf-8", b"Application/JSON"])
def test_json_by_any_name(content_type: bytes | None) -> None:
    """A missing content type means JSON, case and parameters do not matter."""
    assert decode(record_of(headers=headers_of(**{"content-type": content_type})), Stream.CONVERSATIONS).sequence == 2


def test_repeated_foreign_headers_do_not_matter() -> None:
    """Tracing and the like may add headers of one name."""
    assert decode(record_of(headers=(*headers_of(), ("trace", b"1"), ("trace", None))), Stream.CONVERSATIONS)


BROKEN: Final = [
    pytest.param(b"", id="empty"),
    pytest.param(json_of(MESSAGE)[:-1], id="cut off"),
    pytest.param(json_of(MESSAGE) + b"x", id="more behind"),
    pytest.param(json_of(MESSAGE).replace(b"canary", b"canary\x00"), id="NUL byte"),
    pytest.param(json_of(MESSAGE).replace(b"canary", rb"canary\ud83e"), id="lone surrogate"),
    pytest.param(json_of(MESSAGE).replace(b"canary", rb"canary\udd8a\ud83e"), id="surrogates the wrong way round"),
    pytest.param(json_of(MESSAGE).replace(b"canary", b"canary\xff"), id="invalid UTF-8"),
    pytest.param(json_of(MESSAGE).replace(b"canary", b"canary\xc0\xaf"), id="overlong UTF-8"),
    pytest.param(json_of(MESSAGE).replace(b"canary", b"canary\xed\xa0\xbd"), id="surrogate in UTF-8"),
    pytest.param(b"\xef\xbb\xbf" + json_of(MESSAGE), id="byte order mark"),
    pytest.param(json_of(MESSAGE).decode().encode("utf-16"), id="UTF-16"),
    pytest.param(b"[" * 100_000, id="deep arrays, open"),
    pytest.param(b"[" * 100_000 + b"]" * 100_000, id="deep arrays"),
    pytest.param(b'{"text":' * 100_000, id="deep objects"),
    pytest.param(json_of(MESSAGE)[:-1] + b',"text2":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="deep field"),
]


@pytest.mark.parametrize("value", BROKEN)
def test_malformed_json(value: bytes) -> None:
    """What is no JSON in UTF-8 is refused as such, however deep or broken."""
    assert rejection(record_of(value)).cause is Cause.MALFORMED_JSON


@pytest.mark.parametrize("value", BROKEN)
def test_malformed_json_in_structured_mode(value: bytes) -> None:
    """The same holds for the data of a structured event."""
    whole = json_of({"specversion": "1.0", "type": "lync.conversation.message.v1", "sequence": "2", "id": "1"})[:-1]
    whole += b',"source":"s","time":"2026-03-29T02:00:00Z","data":' + value + b"}"
    assert rejection(in_structured_mode(whole)).cause is Cause.MALFORMED_JSON


def test_depth_at_the_interpreters_limit() -> None:
    """A structured event nested as deep as the interpreter allows, or a level more, is refused and not a crash."""
    head = '{"specversion":"1.0","id":"i","source":"s","type":"lync.conversation.message.v1","sequence":"2",'
    head += '"time":"2026-03-29T02:00:00Z","data":{"x":'
    for depth in range(250, 1010):
        record = in_structured_mode(head + "[" * depth + "]" * depth + "}}")
        assert rejection(record).cause is Cause.MALFORMED_JSON


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(record_of(json_of(MESSAGE)[:-1] + b',"text":"other"}'), id="top level"),
        pytest.param(record_of(json_of(MESSAGE)[:-1] + b', "text": "canary-7f3a"}'), id="same value"),
        pytest.param(record_of(json_of(MESSAGE)[:-1] + rb', "t\u0065xt": "canary-7f3a"}'), id="escaped"),
        pytest.param(
            record_of(
                json_of(STARTED).replace(b'"name"', b'"name": "other", "name"'),
                headers_of(ce_type=b"lync.conversation.started.v1", ce_sequence=b"1"),
            ),
            id="nested",
        ),
        pytest.param(in_structured_mode('{"specversion":"1.0","specversion":"1.0"}'), id="attribute"),
        pytest.param(in_structured_mode('{"data":{"text":"canary-7f3a","text":""}}'), id="data"),
    ],
)
def test_duplicate_keys(record: Record) -> None:
    """An object that names a key twice would mean different things to different readers."""
    assert rejection(record).cause is Cause.DUPLICATE_KEYS
