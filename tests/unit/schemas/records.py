"""Records and their refusals, for the tests of the envelope."""

import json
import traceback
from typing import Any, Final

import pytest

from schemas.catalogue import Stream
from schemas.envelope import decode
from schemas.errors import RecordRejected
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


def headers_of(**changed: bytes | None) -> Headers:
    """Return good headers with some changed."""
    return tuple({**ATTRIBUTES, **changed}.items())


def headers_without(name: str) -> Headers:
    """Return good headers without one."""
    return tuple((header, value) for header, value in ATTRIBUTES.items() if header != name)


def record_of(value: bytes | None = None, headers: Headers | None = None, key: bytes | None = KEY) -> Record:
    """Return a record, good unless told otherwise."""
    headers = headers_of() if headers is None else headers
    return Record("topic", 0, 0, 0, key, headers, json_of(MESSAGE) if value is None else value)


def json_of(document: Any) -> bytes:
    """Return JSON as another producer may write it."""
    return json.dumps(document, ensure_ascii=False).encode()


def message_with(**fields: Any) -> bytes:
    """Return a message with some fields changed."""
    return json_of({**MESSAGE, **fields})


def structured(**changed: Any) -> Record:
    """Return a structured-mode event; `...` leaves an attribute out."""
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
    return in_structured_mode(json.dumps({name: value for name, value in document.items() if value is not ...}))


def in_structured_mode(text: str | bytes) -> Record:
    """Return a record with this value in structured mode."""
    value = text if isinstance(text, bytes) else text.encode()
    return record_of(value, (("content-type", b"application/cloudevents+json"),))


def rejection(record: Record, stream: Stream | None = Stream.CONVERSATIONS) -> RecordRejected:
    """Return why a record is refused; nothing of what it says may be told."""
    with pytest.raises(RecordRejected) as caught:
        decode(record, stream)
    told = "".join(traceback.format_exception(caught.value)) + caught.value.detail + str(caught.value)
    assert CANARY not in told
    return caught.value
