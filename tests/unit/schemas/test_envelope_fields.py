"""Decoding refuses fields that are wrong, each with its cause, and never repeats what the record says."""

import json

import pytest

from schemas.catalogue import Stream
from schemas.envelope import decode, encode
from schemas.errors import Cause, MalformedRecord, UnsupportedVersion
from schemas.events import ConversationEnded, ConversationMessage, ConversationStarted
from schemas.limits import SEQUENCE_MAX
from schemas.record import Record
from tests.unit.schemas.records import (
    CANARY,
    KEY,
    MESSAGE,
    STARTED,
    headers_of,
    headers_without,
    in_structured_mode,
    json_of,
    message_with,
    record_of,
    rejection,
    structured,
)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'"canary-7f3a"', id="string"),
        pytest.param(b"{}", id="nothing"),
        pytest.param(message_with(text=1), id="number for text"),
        pytest.param(message_with(text=None), id="null for text"),
        pytest.param(message_with(text=[CANARY]), id="array for text"),
        pytest.param(message_with(extra=CANARY), id="unknown field"),
        pytest.param(message_with(**{CANARY: 1}), id="unknown field named by the record"),
        pytest.param(message_with(sip="sip:Canary-7f3a@contoso.example"), id="upper case"),
        pytest.param(message_with(sip="sip:canary-7f3a@contoso.example\n"), id="line break behind"),
        pytest.param(message_with(sip="canary-7f3a@contoso.example"), id="no scheme"),
        pytest.param(message_with(format="canary-7f3a"), id="unknown format"),
        pytest.param(message_with(conversation=""), id="empty conversation"),
        pytest.param(message_with(conversation="canary-7f3a\u2028"), id="line break in conversation"),
    ],
)
def test_schema_mismatch(value: bytes) -> None:
    """JSON that is not the type's data is refused; the message names at most a field of ours."""
    assert rejection(record_of(value)).cause is Cause.SCHEMA_MISMATCH
    assert rejection(structured(data=json.loads(value))).cause in {Cause.SCHEMA_MISMATCH, Cause.MALFORMED_HEADERS}


@pytest.mark.parametrize(
    "text",
    [b"", b"0", b"-1", b"01", b"1.0", b"+2", b" 2", b"2 ", b"2e3", "٢".encode(), b"9223372036854775808", b"9" * 5000],
)
def test_bad_sequence(text: bytes) -> None:
    """A sequence is a whole number from 1 to 2^63-1 in its shortest form."""
    assert rejection(record_of(headers=headers_of(ce_sequence=text))).cause is Cause.BAD_SEQUENCE


def test_missing_sequence() -> None:
    """Without a sequence an event has no place in its conversation."""
    assert rejection(record_of(headers=headers_without("ce_sequence"))).cause is Cause.BAD_SEQUENCE
    assert rejection(record_of(headers=headers_of(ce_sequence=None))).cause is Cause.BAD_SEQUENCE
    assert rejection(structured(sequence=2)).cause is Cause.BAD_SEQUENCE


def test_largest_sequence() -> None:
    """2^63-1 is a sequence."""
    record = record_of(headers=headers_of(ce_sequence=str(SEQUENCE_MAX).encode()))
    assert decode(record, Stream.CONVERSATIONS).sequence == SEQUENCE_MAX


def test_openers_and_only_openers_are_first() -> None:
    """Sequence 1 is the opening event's, and the opening event has no other."""
    opener = headers_of(ce_type=b"lync.conversation.started.v1", ce_sequence=b"2")
    assert rejection(record_of(json_of(STARTED), opener)).cause is Cause.BAD_SEQUENCE
    assert rejection(record_of(headers=headers_of(ce_sequence=b"1"))).cause is Cause.BAD_SEQUENCE


@pytest.mark.parametrize("last", [1, 4, 6])
def test_an_end_names_its_own_sequence(last: int) -> None:
    """An ending event whose last sequence is another than its own contradicts itself."""
    ended = headers_of(ce_type=b"lync.conversation.ended.v1", ce_sequence=b"5")
    record = record_of(json_of({"conversation": KEY.decode(), "last_sequence": last}), ended)
    assert rejection(record).cause is Cause.BAD_SEQUENCE


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
    assert rejection(record_of(headers=headers_of(ce_time=text))).cause is Cause.BAD_TIME


@pytest.mark.parametrize("key", [None, b"", b"conversation-2", b"conversation-1 ", b"\xff"])
def test_key_mismatch(key: bytes | None) -> None:
    """The key is the conversation's id: it chose the partition, which is what keeps the order."""
    assert rejection(record_of(key=key)).cause is Cause.KEY_MISMATCH


@pytest.mark.parametrize("stream", [Stream.CONFERENCES, Stream.CONTACTS])
def test_wrong_topic(stream: Stream) -> None:
    """A type in another stream's topic is refused, and taken where the stream is not checked."""
    assert rejection(record_of(), stream).cause is Cause.WRONG_TOPIC
    assert decode(record_of(), None).sequence == 2


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
    refused = rejection(record_of(headers=headers_of(ce_type=name)))
    assert refused.cause is Cause.UNKNOWN_TYPE
    assert isinstance(refused, MalformedRecord)


@pytest.mark.parametrize("name", [b"lync.conversation.message.v2", b"lync.call.ended.v10", b"lync.call.ended.v0"])
def test_unknown_version(name: bytes) -> None:
    """A version of a known type that is not known means that the producer was upgraded first."""
    refused = rejection(record_of(headers=headers_of(ce_type=name)))
    assert refused.cause is Cause.UNKNOWN_VERSION
    assert isinstance(refused, UnsupportedVersion)


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        (in_structured_mode("[]"), Cause.MALFORMED_JSON),
        (in_structured_mode('"canary-7f3a"'), Cause.MALFORMED_JSON),
        (structured(data=...), Cause.MALFORMED_HEADERS),
        (structured(data=[CANARY]), Cause.MALFORMED_HEADERS),
        (structured(data=..., data_base64="e30="), Cause.MALFORMED_HEADERS),
        (structured(specversion=1.0), Cause.MALFORMED_HEADERS),
        (structured(datacontenttype="text/xml"), Cause.MALFORMED_HEADERS),
        (structured(id="\ud800"), Cause.MALFORMED_JSON),
        (structured(data={**MESSAGE, "text": "\ud800"}), Cause.MALFORMED_JSON),
        (structured(data={**MESSAGE, "text": float("nan")}), Cause.SCHEMA_MISMATCH),
    ],
)
def test_malformed_structured_mode(record: Record, cause: Cause) -> None:
    """A structured event is as strict as a binary one."""
    assert rejection(record).cause is cause


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
    headers = headers_of(ce_type=b"lync.conversation.started.v1", ce_sequence=b"1")
    short = decode(record_of(json.dumps(STARTED, indent=3).encode(), headers), Stream.CONVERSATIONS)
    full = ConversationStarted.model_validate_json(json_of(STARTED))
    written = encode("id-1", "/pools/1", "2026-03-29T02:00:00Z", 1, full, "topic")
    assert short.body == written.value
