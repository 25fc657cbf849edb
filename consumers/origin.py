"""What an archive was rebuilt from; one that lanes write as records come has no origin."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class OriginKind(StrEnum):
    """Where the records of a rebuild come from. Stored, so a member is never renamed."""

    RECORDING = "recording"
    KAFKA = "kafka"


class Origin(NamedTuple):
    """Where the records came from, of which topics, and of a recording SHA-256 of its unpacked lines, in hex.

    `completed_at` (aware, UTC) is when the rebuild first came to its end, None while it has not.
    """

    kind: OriginKind
    topics: tuple[str, ...]
    sha256: str | None = None
    completed_at: datetime | None = None

    def same(self, other: "Origin") -> bool:
        """Return whether both are of the same records."""
        return self[:3] == other[:3]
