"""Files that a simulated meeting shares: small, and made of their id alone, so that their bytes can be had again."""

import hashlib
from io import BytesIO
from random import Random
from typing import Final

from producers.ports import ContentSink
from producers.simulator.step import identifier
from schemas.catalogue import TYPES
from schemas.envelope import decode
from schemas.errors import RecordRejected
from schemas.events import ConferenceContentUploaded, ConferenceWhiteboardSnapshot, ContentReference
from schemas.meetings import ConferenceContentVisibility
from schemas.record import Record

BYTES_MIN: Final = 1_000
BYTES_MAX: Final = 60_000
"""Small: a simulation is about how many files there are, not about how large."""

_KINDS: Final = (
    ("Slides.pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("Handout.pdf", "application/pdf"),
    ("Budget.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("Notes.txt", "text/plain"),
)
_WHITEBOARD: Final = ("Whiteboard.png", "image/png")
_TYPES: Final = frozenset(
    TYPES[model].encode()
    for model in (ConferenceContentUploaded, ConferenceWhiteboardSnapshot, ConferenceContentVisibility)
)


def generated(content_id: str) -> bytes:
    """Return the bytes of the file with this id: always the same."""
    rng = Random(f"{content_id}/bytes")
    return rng.randbytes(rng.randrange(BYTES_MIN, BYTES_MAX))


def shared_file(rng: Random) -> ContentReference:
    """Return the reference to a file that somebody brought along."""
    return _reference(rng, *rng.choice(_KINDS))


def shared_whiteboard(rng: Random) -> ContentReference:
    """Return the reference to the picture of a whiteboard."""
    return _reference(rng, *_WHITEBOARD)


def _reference(rng: Random, name: str, media_type: str) -> ContentReference:
    content_id = identifier(rng)
    data = generated(content_id)
    digest = hashlib.sha256(data).hexdigest()
    return ContentReference(id=content_id, name=name, media_type=media_type, size=len(data), sha256=digest)


async def put_file(record: Record, sink: ContentSink) -> bool:
    """Put the file that a simulated record refers to, if it refers to one; return whether it does."""
    if dict(record.headers).get("ce_type") not in _TYPES:
        return False
    try:
        data = decode(record, None).data
    except RecordRejected:
        return False
    assert isinstance(data, ConferenceContentUploaded | ConferenceWhiteboardSnapshot | ConferenceContentVisibility)
    content = data.content
    await sink.put(BytesIO(generated(content.id)), content.name, content.media_type, content.id)
    return True
