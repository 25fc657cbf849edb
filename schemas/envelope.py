"""Events in Kafka records: CloudEvents 1.0, Kafka protocol binding, with the `sequence` extension.

Binary mode is what our producers write; structured mode is read as well. Decoding trusts nothing: whatever does not
fit raises RecordRejected with a cause, and no message of it repeats what the record says.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import ValidationError

from schemas.catalogue import ENDERS, MODELS, OPENERS, STREAMS, TYPES, EventType, Stream
from schemas.errors import Cause, MalformedRecord, UnsupportedVersion
from schemas.events import EventData
from schemas.json_text import has_duplicate_keys, parse_object, to_text
from schemas.limits import (
    EVENT_ID_CHARS_MAX,
    RECORD_BYTES_MAX,
    SEQUENCE_MAX,
    SOURCE_CHARS_MAX,
)
from schemas.record import Headers, Record, is_text
from schemas.times import parse_time

_VERSIONED: Final = re.compile(r"(.+)\.v[0-9]+")
_BASES: Final = frozenset(name.rsplit(".v", 1)[0] for name in MODELS)
_JSON: Final = b"application/json"
_STRUCTURED: Final = b"application/cloudevents+json"
_SEQUENCE_DIGITS_MAX: Final = len(str(SEQUENCE_MAX))

_USUAL: Final = frozenset({"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_sequence", "content-type"})
"""The header names that our producers write, and which therefore need no look at their characters."""

Attributes = Mapping[str, bytes | None]
"""Context attributes by their header names (`ce_id`), values as UTF-8."""


class _Shape(NamedTuple):
    """What decoding must know of a type; looked up once a record by the type's bytes."""

    name: EventType
    model: type[EventData]
    validate: Callable[[bytes], EventData]
    canonical: Callable[[EventData], bytes]
    stream: Stream
    opens: bool
    ends: bool


_SHAPES: Final = {
    name.encode(): _Shape(
        name,
        model,
        model.__pydantic_validator__.validate_json,
        model.__pydantic_serializer__.to_json,
        STREAMS[name],
        name in OPENERS,
        name in ENDERS,
    )
    for name, model in MODELS.items()
}


class Event(NamedTuple):
    """One decoded event.

    `at` is RFC 3339 UTC as given, `moment` the same as a datetime to the microsecond. `body` is `data` as JSON in
    the one form that our producers write, whatever form the record had.
    """

    id: str
    source: str
    type: EventType
    at: str
    moment: datetime
    sequence: int
    data: EventData
    body: bytes


def encode(event_id: str, source: str, at: str, sequence: int, data: EventData, topic: str) -> Record:
    """Return the event as a record in binary mode, keyed by its conversation, not yet in any partition.

    Raises MalformedRecord where `at` is no RFC 3339 time or the sequence is out of bounds.
    """
    name = TYPES[type(data)]
    at, moment = parse_time(at)
    if not 1 <= sequence <= SEQUENCE_MAX:
        raise MalformedRecord(Cause.BAD_SEQUENCE, "the sequence is not between 1 and 2^63-1")
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", name.encode()),
        ("ce_time", at.encode()),
        ("ce_sequence", str(sequence).encode()),
        ("content-type", b"application/json"),
    )
    stamp_ms = max(0, int(moment.timestamp() * 1000))
    value = canonical(data)
    return Record(topic, -1, -1, stamp_ms, data.conversation.encode(), headers, value)


def decode(record: Record, stream: Stream | None, record_bytes_max: int = RECORD_BYTES_MAX) -> Event:
    """Return the event that a record carries.

    `stream` is the role of the record's topic; None leaves that unchecked. Raises MalformedRecord or
    UnsupportedVersion, each with its cause.
    """
    value = record.value
    if value is None:
        raise MalformedRecord(Cause.MALFORMED_JSON, "the record has no value")
    if len(value) > record_bytes_max:
        raise MalformedRecord(Cause.OVERSIZED, f"the value has {len(value)} bytes, {record_bytes_max} are allowed")
    attributes = _headers(record.headers)
    content_type = attributes.get("content-type")
    if content_type is not None and content_type.startswith(_STRUCTURED):
        attributes, value = _structured(value)
        content_type = attributes.get("content-type")
    if content_type != _JSON and not _is_json(content_type):
        raise MalformedRecord(Cause.MALFORMED_HEADERS, "the content type is not application/json")
    try:
        return _event(attributes, value, record.key, stream)
    except UnicodeDecodeError as error:
        raise MalformedRecord(Cause.MALFORMED_HEADERS, "a header is not UTF-8") from error


def _event(attributes: Attributes, value: bytes, key: bytes | None, stream: Stream | None) -> Event:
    shape = _SHAPES.get(attributes.get("ce_type") or b"")
    if shape is None or attributes.get("ce_specversion") != b"1.0":
        raise _unknown(attributes)
    event_id = (attributes.get("ce_id") or b"").decode()
    source = (attributes.get("ce_source") or b"").decode()
    if not 0 < len(event_id) <= EVENT_ID_CHARS_MAX or not 0 < len(source) <= SOURCE_CHARS_MAX:
        raise MalformedRecord(Cause.MALFORMED_HEADERS, "id or source is missing or too long")
    at, moment = parse_time((attributes.get("ce_time") or b"").decode())
    sequence = _sequence(attributes.get("ce_sequence") or b"")
    if stream is not None and shape.stream is not stream:
        raise MalformedRecord(Cause.WRONG_TOPIC, f"{shape.name} does not belong in the topic for {stream}")
    data, body = _data(shape, value)
    if key != data.conversation.encode():
        raise MalformedRecord(Cause.KEY_MISMATCH, "the record's key is not the id of its conversation")
    if (sequence == 1) is not shape.opens:
        raise MalformedRecord(Cause.BAD_SEQUENCE, "an opening event has sequence 1, and nothing else has")
    if shape.ends and data.last_sequence != sequence:  # type: ignore[attr-defined]
        raise MalformedRecord(Cause.BAD_SEQUENCE, "an ending event's last_sequence is its own sequence")
    return Event(event_id, source, shape.name, at, moment, sequence, data, body)


def _headers(pairs: Headers) -> dict[str, bytes | None]:
    headers = dict(pairs)
    if not _USUAL.issuperset(headers) and not all(map(is_text, headers)):
        raise MalformedRecord(Cause.MALFORMED_HEADERS, "a header's name is not UTF-8")
    if len(headers) != len(pairs):
        ours = [name for name, _ in pairs if name.startswith("ce_") or name == "content-type"]
        if len(set(ours)) != len(ours):
            raise MalformedRecord(Cause.MALFORMED_HEADERS, "a header stands twice")
    return headers


def _is_json(content_type: bytes | None) -> bool:
    """CloudEvents takes JSON for granted where no content type is given; parameters do not matter."""
    return content_type is None or content_type.split(b";", 1)[0].strip().lower() == _JSON


def _structured(value: bytes) -> tuple[dict[str, bytes | None], bytes]:
    """Split a structured-mode event into its context attributes and the bytes of its data."""
    document = parse_object(value)
    data = document.pop("data", None)
    if not isinstance(data, dict):
        raise MalformedRecord(Cause.MALFORMED_HEADERS, "a structured event has no data")
    try:
        attributes = {f"ce_{name}": text.encode() for name, text in document.items() if isinstance(text, str)}
    except UnicodeEncodeError as error:
        raise MalformedRecord(Cause.MALFORMED_JSON, "an attribute holds a lone surrogate") from error
    return {**attributes, "content-type": attributes.get("ce_datacontenttype")}, to_text(data)


def _unknown(attributes: Attributes) -> MalformedRecord | UnsupportedVersion:
    """Return the reason why no shape fits."""
    if attributes.get("ce_specversion") != b"1.0":
        return MalformedRecord(Cause.MALFORMED_HEADERS, "specversion is not 1.0")
    versioned = _VERSIONED.fullmatch((attributes.get("ce_type") or b"").decode())
    if versioned is not None and versioned[1] in _BASES:
        return UnsupportedVersion(Cause.UNKNOWN_VERSION, "the event's type is known, its version is not")
    return MalformedRecord(Cause.UNKNOWN_TYPE, "the event's type is not known")


def _sequence(text: bytes) -> int:
    if text.isdigit() and not text.startswith(b"0") and len(text) <= _SEQUENCE_DIGITS_MAX:
        sequence = int(text)
        if sequence <= SEQUENCE_MAX:
            return sequence
    raise MalformedRecord(Cause.BAD_SEQUENCE, "the sequence is not a whole number from 1 to 2^63-1")


def _data(shape: _Shape, value: bytes) -> tuple[EventData, bytes]:
    try:
        data = shape.validate(value)
    except ValidationError as error:
        raise _mismatch(shape.model, error) from None  # its text repeats the input
    # Our own producers write exactly this form, which cannot repeat a key; any other form is searched for one.
    body = shape.canonical(data)
    if body == value:
        return data, value
    if has_duplicate_keys(value):
        raise MalformedRecord(Cause.DUPLICATE_KEYS, "an object names a key twice")
    return data, body


def canonical(data: EventData) -> bytes:
    """Return the data as JSON in the one form that our producers write."""
    return type(data).__pydantic_serializer__.to_json(data)


def _mismatch(model: type[EventData], error: ValidationError) -> MalformedRecord:
    """Name the first problem by rule and field, never by what the record says."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return MalformedRecord(Cause.MALFORMED_JSON, "the value is not JSON")
    field = first["loc"][0] if first["loc"] else ""
    place = field if field in model.model_fields else "an unknown field"
    return MalformedRecord(Cause.SCHEMA_MISMATCH, f"{place}: {first['type']}")
