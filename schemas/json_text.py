"""JSON where pydantic's own parser does not say enough: repeated keys, and the data inside a structured event."""

import json
from typing import Any

from schemas.errors import Cause, MalformedRecord


class _RepeatedKey(ValueError):
    """An object names a key twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedKey
    return found


def has_duplicate_keys(value: bytes) -> bool:
    """Return whether any object of this valid JSON text names a key twice (RFC 8259, section 4)."""
    try:
        json.loads(value, object_pairs_hook=_unique)
    except _RepeatedKey:
        return True
    return False


def parse_object(value: bytes) -> dict[str, Any]:
    """Return the JSON object that the bytes hold. Raises MalformedRecord for all else, repeated keys included."""
    try:
        document = json.loads(value.decode(), object_pairs_hook=_unique)
    except _RepeatedKey as error:
        raise MalformedRecord(Cause.DUPLICATE_KEYS, "an object names a key twice") from error
    except (ValueError, RecursionError) as error:
        raise MalformedRecord(Cause.MALFORMED_JSON, "the value is not JSON") from error
    if not isinstance(document, dict):
        raise MalformedRecord(Cause.MALFORMED_JSON, "the value is not a JSON object")
    return document


def to_text(document: dict[str, Any]) -> bytes:
    """Return the object as JSON in ASCII, so that lone surrogates stay visible to the next parser."""
    return json.dumps(document, separators=(",", ":")).encode()
