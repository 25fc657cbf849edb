"""What stands for a document in the journal: SHA-256 over the one form that its content has."""

import hashlib
from collections.abc import Mapping
from typing import Any

import bson


def document_digest(document: Mapping[str, Any]) -> str:
    """Return the digest in hexadecimal: the same for a document before it is written and as it is read again.

    The order of fields plays no part: an update may move them.
    """
    return hashlib.sha256(bson.encode(_ordered(document))).hexdigest()


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _ordered(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [_ordered(one) for one in value]
    return value


def unlike(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str | None:
    """Return how a document differs from what it must be, by names of fields alone; None where it does not.

    Types count: a number is no text, no boolean, and no number of another kind.
    """
    if document_digest(expected) == document_digest(found):
        return None
    fields = sorted(
        name
        for name in expected.keys() | found.keys()
        if (name in expected) != (name in found)
        or document_digest({"": expected[name]}) != document_digest({"": found[name]})
    )
    return f"field {', '.join(fields)}"
