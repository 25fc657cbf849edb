"""One record as one line of a recording: the fields that `kcat -J` prints, and bytes that are no text kept as well."""

import base64
import binascii
import json
from itertools import chain
from typing import Any, Final

from schemas.record import Headers, Record, header_name, name_bytes

PARTITION_MAX: Final = 2**31 - 1
"""Kafka numbers partitions with signed 32-bit integers."""

OFFSET_MAX: Final = 2**63 - 1
"""Kafka's offsets and timestamps are signed 64-bit integers."""

TIMESTAMP_MIN: Final = -(2**63)
"""Brokers take times before 1970."""

TEXT_BYTES_MAX: Final = 8 * 1024 * 1024
"""A longer field is no text, whatever it is: escaped, it could take six times its length, more than a line may have."""

_dump: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_line(record: Record) -> bytes:
    """Return the record as a line without its LF: JSON in UTF-8, which escapes every LF inside."""
    fields: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "tstype": "create",
        "ts": record.timestamp_ms,
        "headers": list(
            chain.from_iterable((_to_field(name_bytes(name)), _to_field(value)) for name, value in record.headers)
        ),
        "key": _to_field(record.key),
        "payload": _to_field(record.value),
    }
    return _dump(fields).encode()


def from_line(line: bytes) -> Record:
    """Return the record that the line holds. Unknown fields are ignored.

    Raises ValueError, whose message names the field and never what it holds.
    """
    try:
        fields = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError("the line is not JSON") from error
    if not isinstance(fields, dict):
        raise ValueError("the line is not a JSON object")
    topic = fields.get("topic")
    if not isinstance(topic, str) or not topic.isascii() or not topic:
        raise ValueError("topic is missing or not a topic's name")
    return Record(
        topic,
        _number(fields, "partition", PARTITION_MAX),
        _number(fields, "offset", OFFSET_MAX),
        _number(fields, "ts", OFFSET_MAX, TIMESTAMP_MIN),
        _from_field(fields, "key"),
        _headers(fields.get("headers")),
        _from_field(fields, "payload"),
    )


def _to_field(value: bytes | None) -> str | dict[str, str] | None:
    if value is None:
        return None
    if len(value) > TEXT_BYTES_MAX:
        return {"base64": base64.b64encode(value).decode()}
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _from_field(fields: dict[str, Any], name: str) -> bytes | None:
    if name not in fields:
        raise ValueError(f"{name} is missing")
    return _bytes(fields[name], name)


def _bytes(field: object, name: str) -> bytes | None:
    try:
        match field:
            case None:
                return None
            case str():
                return field.encode()
            case {"base64": str() as packed}:
                return base64.b64decode(packed, validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError) as error:
        raise ValueError(f"{name} cannot be turned into bytes") from error
    raise ValueError(f"{name} is neither text, null nor base64")


def _number(fields: dict[str, Any], name: str, most: int, least: int = -1) -> int:
    value = fields.get(name, -1)  # kcat prints no time where the record has none
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} is not a whole number from {least} to {most}")
    return value


def _headers(field: object) -> Headers:
    if field is None:  # kcat prints none where there are none
        return ()
    if not isinstance(field, list) or len(field) % 2:
        raise ValueError("headers is not a list of names and values")
    return tuple((_name(name), _bytes(value, "a header")) for name, value in zip(field[::2], field[1::2], strict=True))


def _name(field: object) -> str:
    name = _bytes(field, "a header's name")
    if name is None:
        raise ValueError("a header's name is null")
    return header_name(name)
