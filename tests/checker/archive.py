"""An archive as plain documents, in the shape that they have in MongoDB."""

from dataclasses import dataclass, field
from typing import Any

Documents = list[dict[str, Any]]


@dataclass(slots=True)
class Archive:
    """Every document of the collections that records end in."""

    conversations: Documents
    segments: Documents
    items: Documents
    quarantine: Documents
    checkpoints: Documents
    attachments: Documents = field(default_factory=list)
