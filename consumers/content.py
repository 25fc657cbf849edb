"""Content: files that events refer to by digest, and what is known of them. Pure; the bytes are `ContentStore`'s."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from consumers.decoding import Decoded
from schemas.envelope import Event
from schemas.errors import Cause
from schemas.events import (
    ConferenceContentUploaded,
    ConferenceWhiteboardSnapshot,
    ContentReference,
    EventData,
)
from schemas.meetings import ConferenceContentVisibility

Place = tuple[str, int]
"""A conversation and a sequence in it."""


class ContentState(StrEnum):
    """What the content store has for a reference. Stored, so a member is never renamed."""

    STORED = "stored"
    MISSING = "missing"
    WRONG = "wrong"
    OVERSIZED = "oversized"


CAUSES: Final = {
    ContentState.MISSING: Cause.CONTENT_MISSING,
    ContentState.WRONG: Cause.CONTENT_MISMATCH,
    ContentState.OVERSIZED: Cause.CONTENT_OVERSIZED,
}
"""Why the record is in quarantine whose file is in this state."""

DETAILS: Final = {
    ContentState.MISSING: "the content store does not have the file",
    ContentState.WRONG: "the file has another digest or size than the event says",
    ContentState.OVERSIZED: "the file is larger than an item may be",
}


class Claim(NamedTuple):
    """What a reference says of the bytes: their SHA-256 in hexadecimal, and how many they are."""

    sha256: str
    size: int


States = Mapping[Claim, ContentState]
"""What was found for each claim of a run."""


class Attachment(NamedTuple):
    """A file at an event's place in its conversation, and the state it was archived in."""

    conversation: str
    sequence: int
    claim: Claim
    state: ContentState


def reference(data: EventData) -> ContentReference | None:
    """Return the file that an event refers to, if it does. By exact type: `isinstance` is slow for pydantic's."""
    model = type(data)
    if model in _REFERRING:
        return data.content  # type: ignore[attr-defined,no-any-return]
    return None


_REFERRING: Final = frozenset({ConferenceContentUploaded, ConferenceWhiteboardSnapshot, ConferenceContentVisibility})


def claim(data: EventData) -> Claim | None:
    """Return what an event says of the bytes that it refers to, if it refers to any."""
    found = reference(data)
    return None if found is None else Claim(found.sha256, found.size)


def claims(decoded: Iterable[Decoded]) -> set[Claim]:
    """Return what a run's events say of the bytes that they refer to."""
    found = {claim(event.data) for _, event in decoded if isinstance(event, Event)}
    return {one for one in found if one is not None}


_DIGEST: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def digests(value: bytes | None) -> frozenset[str]:
    """Return whatever in a record's value may be a digest: what it refers to where it is no event that can be read."""
    return frozenset(found.decode() for found in _DIGEST.findall(value or b""))
