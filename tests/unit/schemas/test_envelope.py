"""Decoding names the cause of every record that it refuses, and never repeats what the record says."""

import json
import traceback
from typing import Any, Final

import pytest

from schemas.catalogue import Stream
from schemas.envelope import decode, encode
from schemas.errors import Cause, MalformedRecord, RecordRejected, UnsupportedVersion
from schemas.events import ConversationEnded, ConversationMessage, ConversationStarted
from schemas.limits import EVENT_ID_CHARS_MAX, RECORD_BYTES_MAX, SEQUENCE_MAX, SOURCE_CHARS_MAX
from schemas.record import Headers, Record

CANARY: Final = "canary-7f3a"
KEY: Final = b"conversation-1"
MESSAGE: Final = {"conversation": KEY.decode(), "sip": "sip:anna@contoso.example", "text": CANARY, "format": "plain"}
STARTED: Final = {
    "conversation": KEY.decode(),
    "thread": "0" * 32,
    "initiator": "sip:anna@contoso.example",
    "participants": [{"sip": "sip:anna@contoso.example", "name": CANARY}],
}
ATTRIBUTES: Final[dict[str, bytes | None]] = {
    "ce_specversion": b"1.0",
    "ce_id": b"id-1",
    "ce_source": b"/pools/1",
    "ce_type": b"lync.conversation.message.v1",
    "ce_time": b"2026-03-29T02:00:00Z",
    "ce_sequence": b"2",
    "content-type": b"application/json",
}
LATIN_1: Final = b"canary-7f3a\xe9"


def _headers(**changed: bytes | None) -> Headers:
    return tuple({**ATTRIBUTES, **changed}.items())


def _without(name: str) -> Headers:
    return tuple((header, value) for header, value in ATTRIBUTES.items() if header != name)


def _record(value: bytes | None = None, headers: Headers | None = None, key: bytes | None = KEY) -> Record:
    headers = _headers() if headers is None else headers
    return Record("topic", 0, 0, 0, key, headers, _json(MESSAGE) if value is None else value)


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _changed(**fields: Any) -> bytes:
    return _json({**MESSAGE, **fields})


def _structured(**changed: Any) -> Record:
    document = {
        "specversion": "1.0",
        "id": "id-1",
        "source": "/pools/1",
        "type": "lync.conversation.message.v1",
        "time": "2026-03-29T02:00:00Z",
        "sequence": "2",
        "data": MESSAGE,
        **changed,
    }
    return _in_structured_mode(json.dumps({name: value for name, value in document.items() if value is not ...}))


def _in_structured_mode(text: str | bytes) -> Record:
    value = text if isinstance(text, bytes) else text.encode()
    return _record(value, (("content-type", b"application/cloudevents+json"),))


def _rejection(record: Record, stream: Stream | None = Stream.CONVERSATIONS) -> RecordRejected:
    with pytest.raises(RecordRejected) as caught:
        decode(record, stream)
    told = "".join(traceback.format_exception(caught.value)) + caught.value.detail + str(caught.value)
    assert CANARY not in told
    return caught.value


def test_a_good_record_decodes() -> None:
    """The record that the other tests spoil is a good one."""
    event = decode(_record(), Stream.CONVERSATIONS)
    assert (event.id, event.sequence, event.data) == ("id-1", 2, ConversationMessage.model_validate(MESSAGE))
    assert decode(_structured(), Stream.CONVERSATIONS) == event


def test_a_record_without_a_value_is_no_event() -> None:
    """A tombstone is refused, since nothing is ever deleted by key."""
    assert _rejection(Record("topic", 0, 0, 0, KEY, _headers(), None)).cause is Cause.MALFORMED_JSON


def test_size_limit() -> None:
    """A value of the limit is read, one byte more is not, whatever is in it."""
    padded = _json(MESSAGE).ljust(RECORD_BYTES_MAX)
    assert decode(_record(padded), Stream.CONVERSATIONS).sequence == 2
    assert _rejection(_record(padded + b" ")).cause is Cause.OVERSIZED
    assert _rejection(_record(CANARY.encode() * RECORD_BYTES_MAX)).cause is Cause.OVERSIZED


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((), id="none"),
        pytest.param(_without("ce_specversion"), id="no specversion"),
        pytest.param(_without("ce_id"), id="no id"),
        pytest.param(_without("ce_source"), id="no source"),
        pytest.param(_headers(ce_specversion=b"0.3"), id="old specversion"),
        pytest.param(_headers(ce_specversion=b"1.0 "), id="padded specversion"),
        pytest.param(_headers(ce_specversion=None), id="null specversion"),
        pytest.param(_headers(ce_id=b""), id="empty id"),
        pytest.param(_headers(ce_id=None), id="null id"),
        pytest.param(_headers(ce_id=CANARY.encode() * EVENT_ID_CHARS_MAX), id="long id"),
        pytest.param(_headers(ce_source=CANARY.encode() * SOURCE_CHARS_MAX), id="long source"),
        pytest.param(_headers(ce_id=LATIN_1), id="id in Latin-1"),
        pytest.param(_headers(ce_source=LATIN_1), id="source in Latin-1"),
        pytest.param(_headers(ce_type=LATIN_1), id="type in Latin-1"),
        pytest.param(_headers(ce_time=LATIN_1), id="time in Latin-1"),
        pytest.param((*_headers(), ("ce_id", b"id-1")), id="id twice"),
        pytest.param((*_headers(), ("content-type", b"application/json")), id="content type twice"),
        pytest.param((*_headers(), ("ce_custom", b"1"), ("ce_custom", b"2")), id="extension twice"),
        pytest.param(_headers(**{"content-type": b"text/plain"}), id="text"),
        pytest.param(_headers(**{"content-type": b"application/cloudevents-batch+json"}), id="batch"),
    ],
)
def test_malformed_headers(headers: Headers) -> None:
    """An attribute that is missing, doubled, too long or not UTF-8 spoils the record."""
    assert _rejection(_record(headers=headers)).cause is Cause.MALFORMED_HEADERS


@pytest.mark.parametrize("header", ["ce_id", "ce_source"])
def test_longest_attributes(header: str) -> None:
    """Ids and sources are counted in characters, not in bytes."""
    longest = {"ce_id": EVENT_ID_CHARS_MAX, "ce_source": SOURCE_CHARS_MAX}[header]
    assert decode(_record(headers=_headers(**{header: ("é" * longest).encode()})), Stream.CONVERSATIONS)
    long = _record(headers=_headers(**{header: ("é" * (longest + 1)).encode()}))
    assert _rejection(long).cause is Cause.MALFORMED_HEADERS


@pytest.mark.parametrize("content_type", [None, b"application/json; charset=utf-8", b"Application/JSON"])
def test_json_by_any_name(content_type: bytes | None) -> None:
    """A missing content type means JSON, case and parameters do not matter."""
    assert decode(_record(headers=_headers(**{"content-type": content_type})), Stream.CONVERSATIONS).sequence == 2


def test_repeated_foreign_headers_do_not_matter() -> None:
    """Tracing and the like may add headers of one name."""
    assert decode(_record(headers=(*_headers(), ("trace", b"1"), ("trace", None))), Stream.CONVERSATIONS)


BROKEN: Final = [
    pytest.param(b"", id="empty"),
    pytest.param(_json(MESSAGE)[:-1], id="cut off"),
    pytest.param(_json(MESSAGE) + b"x", id="more behind"),
    pytest.param(_json(MESSAGE).replace(b"canary", b"canary\x00"), id="NUL byte"),
    pytest.param(_json(MESSAGE).replace(b"canary", rb"canary\ud83e"), id="lone surrogate"),
    pytest.param(_json(MESSAGE).replace(b"canary", rb"canary\udd8a\ud83e"), id="surrogates the wrong way round"),
    pytest.param(_json(MESSAGE).replace(b"canary", b"canary\xff"), id="invalid UTF-8"),
    pytest.param(_json(MESSAGE).replace(b"canary", b"canary\xc0\xaf"), id="overlong UTF-8"),
    pytest.param(_json(MESSAGE).replace(b"canary", b"canary\xed\xa0\xbd"), id="surrogate in UTF-8"),
    pytest.param(b"\xef\xbb\xbf" + _json(MESSAGE), id="byte order mark"),
    pytest.param(_json(MESSAGE).decode().encode("utf-16"), id="UTF-16"),
    pytest.param(b"[" * 100_000, id="deep arrays, open"),
    pytest.param(b"[" * 100_000 + b"]" * 100_000, id="deep arrays"),
    pytest.param(b'{"text":' * 100_000, id="deep objects"),
    pytest.param(_json(MESSAGE)[:-1] + b',"text2":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="deep field"),
]


@pytest.mark.parametrize("value", BROKEN)
def test_malformed_json(value: bytes) -> None:
    """What is no JSON in UTF-8 is refused as such, however deep or broken."""
    assert _rejection(_record(value)).cause is Cause.MALFORMED_JSON


@pytest.mark.parametrize("value", BROKEN)
def test_malformed_json_in_structured_mode(value: bytes) -> None:
    """The same holds for the data of a structured event."""
    whole = _json({"specversion": "1.0", "type": "lync.conversation.message.v1", "sequence": "2", "id": "1"})[:-1]
    whole += b',"source":"s","time":"2026-03-29T02:00:00Z","data":' + value + b"}"
    assert _rejection(_in_structured_mode(whole)).cause is Cause.MALFORMED_JSON


def test_depth_at_the_interpreters_limit() -> None:
    """A structured event nested as deep as the interpreter allows, or a level more, is refused and not a crash."""
    head = '{"specversion":"1.0","id":"i","source":"s","type":"lync.conversation.message.v1","sequence":"2",'
    head += '"time":"2026-03-29T02:00:00Z","data":{"x":'
    for depth in range(250, 1010):
        record = _in_structured_mode(head + "[" * depth + "]" * depth + "}}")
        assert _rejection(record).cause is Cause.MALFORMED_JSON


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(_record(_json(MESSAGE)[:-1] + b',"text":"other"}'), id="top level"),
        pytest.param(_record(_json(MESSAGE)[:-1] + b', "text": "canary-7f3a"}'), id="same value"),
        pytest.param(_record(_json(MESSAGE)[:-1] + rb', "t\u0065xt": "canary-7f3a"}'), id="escaped"),
        pytest.param(
            _record(
                _json(STARTED).replace(b'"name"', b'"name": "other", "name"'),
                _headers(ce_type=b"lync.conversation.started.v1", ce_sequence=b"1"),
            ),
            id="nested",
        ),
        pytest.param(_in_structured_mode('{"specversion":"1.0","specversion":"1.0"}'), id="attribute"),
        pytest.param(_in_structured_mode('{"data":{"text":"canary-7f3a","text":""}}'), id="data"),
    ],
)
def test_duplicate_keys(record: Record) -> None:
    """An object that names a key twice would mean different things to different readers."""
    assert _rejection(record).cause is Cause.DUPLICATE_KEYS


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'"canary-7f3a"', id="string"),
        pytest.param(b"{}", id="nothing"),
        pytest.param(_changed(text=1), id="number for text"),
        pytest.param(_changed(text=None), id="null for text"),
        pytest.param(_changed(text=[CANARY]), id="array for text"),
        pytest.param(_changed(extra=CANARY), id="unknown field"),
        pytest.param(_changed(**{CANARY: 1}), id="unknown field named by the record"),
        pytest.param(_changed(sip="sip:Canary-7f3a@contoso.example"), id="upper case"),
        pytest.param(_changed(sip="sip:canary-7f3a@contoso.example\n"), id="line break behind"),
        pytest.param(_changed(sip="canary-7f3a@contoso.example"), id="no scheme"),
        pytest.param(_changed(format="canary-7f3a"), id="unknown format"),
        pytest.param(_changed(conversation=""), id="empty conversation"),
        pytest.param(_changed(conversation="canary-7f3a\u2028"), id="line break in conversation"),
    ],
)
def test_schema_mismatch(value: bytes) -> None:
    """JSON that is not the type's data is refused; the message names at most a field of ours."""
    assert _rejection(_record(value)).cause is Cause.SCHEMA_MISMATCH
    assert _rejection(_structured(data=json.loads(value))).cause in {Cause.SCHEMA_MISMATCH, Cause.MALFORMED_HEADERS}


@pytest.mark.parametrize(
    "text",
    [b"", b"0", b"-1", b"01", b"1.0", b"+2", b" 2", b"2 ", b"2e3", "٢".encode(), b"9223372036854775808", b"9" * 5000],
)
def test_bad_sequence(text: bytes) -> None:
    """A sequence is a whole number from 1 to 2^63-1 in its shortest form."""
    assert _rejection(_record(headers=_headers(ce_sequence=text))).cause is Cause.BAD_SEQUENCE


def test_missing_sequence() -> None:
    """Without a sequence an event has no place in its conversation."""
    assert _rejection(_record(headers=_without("ce_sequence"))).cause is Cause.BAD_SEQUENCE
    assert _rejection(_record(headers=_headers(ce_sequence=None))).cause is Cause.BAD_SEQUENCE
    assert _rejection(_structured(sequence=2)).cause is Cause.BAD_SEQUENCE


def test_largest_sequence() -> None:
    """2^63-1 is a sequence."""
    record = _record(headers=_headers(ce_sequence=str(SEQUENCE_MAX).encode()))
    assert decode(record, Stream.CONVERSATIONS).sequence == SEQUENCE_MAX


def test_openers_and_only_openers_are_first() -> None:
    """Sequence 1 is the opening event's, and the opening event has no other."""
    opener = _headers(ce_type=b"lync.conversation.started.v1", ce_sequence=b"2")
    assert _rejection(_record(_json(STARTED), opener)).cause is Cause.BAD_SEQUENCE
    assert _rejection(_record(headers=_headers(ce_sequence=b"1"))).cause is Cause.BAD_SEQUENCE


@pytest.mark.parametrize("last", [1, 4, 6])
def test_an_end_names_its_own_sequence(last: int) -> None:
    """An ending event whose last sequence is another than its own contradicts itself."""
    ended = _headers(ce_type=b"lync.conversation.ended.v1", ce_sequence=b"5")
    record = _record(_json({"conversation": KEY.decode(), "last_sequence": last}), ended)
    assert _rejection(record).cause is Cause.BAD_SEQUENCE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="empty"),
        pytest.param(None, id="null"),
        pytest.param(b"canary-7f3a", id="text"),
        pytest.param(b"2026-03-29T02:00:00", id="no zone"),
        pytest.param(b"2026-03-29t02:00:00z", id="lower case"),
        pytest.param(b"2026-W13-7T02:00:00Z", id="week date"),
        pytest.param(b"2026-02-30T02:00:00Z", id="February 30"),
        pytest.param(b"2026-03-29T24:00:00Z", id="24 h"),
    ],
)
def test_bad_time(text: bytes | None) -> None:
    """A time that is not RFC 3339, or does not exist, spoils the record."""
    assert _rejection(_record(headers=_headers(ce_time=text))).cause is Cause.BAD_TIME


@pytest.mark.parametrize("key", [None, b"", b"conversation-2", b"conversation-1 ", b"\xff"])
def test_key_mismatch(key: bytes | None) -> None:
    """The key is the conversation's id: it chose the partition, which is what keeps the order."""
    assert _rejection(_record(key=key)).cause is Cause.KEY_MISMATCH


@pytest.mark.parametrize("stream", [Stream.CONFERENCES, Stream.CONTACTS])
def test_wrong_topic(stream: Stream) -> None:
    """A type in another stream's topic is refused, and taken where the stream is not checked."""
    assert _rejection(_record(), stream).cause is Cause.WRONG_TOPIC
    assert decode(_record(), None).sequence == 2


@pytest.mark.parametrize(
    "name",
    [
        None,
        b"",
        b"canary-7f3a",
        b"canary-7f3a.v1",
        b"lync.conversation.message",
        b"lync.conversation.message.vX",
        b"Lync.conversation.message.v1",
        b"lync.conversation.message.v1 ",
    ],
)
def test_unknown_type(name: bytes | None) -> None:
    """A type that is in no release's catalogue is refused."""
    rejection = _rejection(_record(headers=_headers(ce_type=name)))
    assert rejection.cause is Cause.UNKNOWN_TYPE
    assert isinstance(rejection, MalformedRecord)


@pytest.mark.parametrize("name", [b"lync.conversation.message.v2", b"lync.call.ended.v10", b"lync.call.ended.v0"])
def test_unknown_version(name: bytes) -> None:
    """A version of a known type that is not known means that the producer was upgraded first."""
    rejection = _rejection(_record(headers=_headers(ce_type=name)))
    assert rejection.cause is Cause.UNKNOWN_VERSION
    assert isinstance(rejection, UnsupportedVersion)


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        (_in_structured_mode("[]"), Cause.MALFORMED_JSON),
        (_in_structured_mode('"canary-7f3a"'), Cause.MALFORMED_JSON),
        (_structured(data=...), Cause.MALFORMED_HEADERS),
        (_structured(data=[CANARY]), Cause.MALFORMED_HEADERS),
        (_structured(data=..., data_base64="e30="), Cause.MALFORMED_HEADERS),
        (_structured(specversion=1.0), Cause.MALFORMED_HEADERS),
        (_structured(datacontenttype="text/xml"), Cause.MALFORMED_HEADERS),
        (_structured(id="\ud800"), Cause.MALFORMED_JSON),
        (_structured(data={**MESSAGE, "text": "\ud800"}), Cause.MALFORMED_JSON),
        (_structured(data={**MESSAGE, "text": float("nan")}), Cause.SCHEMA_MISMATCH),
    ],
)
def test_malformed_structured_mode(record: Record, cause: Cause) -> None:
    """A structured event is as strict as a binary one."""
    assert _rejection(record).cause is cause


def test_encode_refuses_what_decode_would() -> None:
    """A producer cannot write a time or a sequence that no consumer reads."""
    data = ConversationMessage.model_validate(MESSAGE)
    for at, sequence, cause in (
        ("2026-03-29", 2, Cause.BAD_TIME),
        ("2026-03-29T02:00:00Z", 0, Cause.BAD_SEQUENCE),
        ("2026-03-29T02:00:00Z", SEQUENCE_MAX + 1, Cause.BAD_SEQUENCE),
    ):
        with pytest.raises(MalformedRecord) as caught:
            encode("id-1", "/pools/1", at, sequence, data, "topic")
        assert caught.value.cause is cause


def test_encode_keys_by_conversation_and_stamps_the_events_time() -> None:
    """A record's key is its conversation, its timestamp the event's time, and never before 1970."""
    ended = ConversationEnded(conversation="é", last_sequence=9)
    record = encode("id-1", "/pools/1", "2026-03-29T02:00:00.25+02:00", 9, ended, "topic")
    assert (record.key, record.timestamp_ms, record.partition, record.offset) == ("é".encode(), 1774742400250, -1, -1)
    assert dict(record.headers)["ce_time"] == b"2026-03-29T00:00:00.250000Z"
    assert encode("id-1", "/pools/1", "1969-12-31T00:00:00Z", 9, ended, "topic").timestamp_ms == 0


def test_body_is_one_form_whatever_was_written() -> None:
    """Two records that say the same, one with white space and defaults left out, have one body."""
    headers = _headers(ce_type=b"lync.conversation.started.v1", ce_sequence=b"1")
    short = decode(_record(json.dumps(STARTED, indent=3).encode(), headers), Stream.CONVERSATIONS)
    full = ConversationStarted.model_validate_json(_json(STARTED))
    written = encode("id-1", "/pools/1", "2026-03-29T02:00:00Z", 1, full, "topic")
    assert short.body == written.value
