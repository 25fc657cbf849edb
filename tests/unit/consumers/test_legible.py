"""Documents are read whatever somebody left in them."""

from datetime import UTC, datetime

import bson
from bson.datetime_ms import DatetimeMS

from consumers.mongo.digests import document_digest
from consumers.mongo.legible import ILLEGIBLE, read


def test_what_can_be_read_is_as_it_was() -> None:
    document = {"_id": "größer", "at": datetime(2026, 1, 5, tzinfo=UTC), "data": b"\xff", "parts": [1, None, True]}
    assert read(bson.encode(document)) == document


def test_text_that_is_no_utf_8_is_marked_and_the_rest_is_there() -> None:
    """A reader that took it for what it looks like could be shown what was never written."""
    raw = bytearray(bson.encode({"_id": 1, "text": "plan", "more": {"name": "Bob"}}))
    raw[raw.index(b"plan")] ^= 0x80
    found = read(bytes(raw))
    assert found == {"_id": 1, "text": "\\xf0lan", "more": {"name": "Bob"}, ILLEGIBLE: True}
    assert document_digest(found) != document_digest({"_id": 1, "text": "\\xf0lan", "more": {"name": "Bob"}})


def test_a_time_beyond_those_of_python_is_another_value() -> None:
    """It has a digest, as any value has, so that it can be compared and named."""
    found = read(bson.encode({"at": DatetimeMS(2**60)}))
    assert document_digest(found) != document_digest({"at": datetime(9999, 1, 1, tzinfo=UTC)})
