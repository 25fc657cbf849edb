"""Tombstones: what stays of a removed conversation, enough to prove what was there, and nothing of whom or of what.

The document stands in `conversations` under the conversation's id. Its `held` ranges say which events there were; its
list of segments has the hash of each, and the journal's entry that added it, so that chain and completeness can be
proved without them.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from consumers.conversation import Conversation, Ending
from consumers.transitions import Kind, Phase

Document = dict[str, Any]

_STAYS = ("_id", "lane", "kind", "phase", "segments", "head", "held")


def tombstone_document(
    conversation: Mapping[str, Any], segments: Iterable[Mapping[str, Any]], at: datetime, reason: str
) -> Document:
    """Return the tombstone of a conversation's document, given those of its segments in order of `first`."""
    ending = conversation["ending"]
    return {
        **{name: conversation[name] for name in _STAYS},
        "revision": conversation["revision"] + 1,
        **({"ending": ending} if ending else {}),
        "removed": {"at": at, "reason": reason, "segments": [_line(segment) for segment in segments]},
    }


def stays_of(document: Mapping[str, Any]) -> Conversation:
    """Read what stays of a conversation when it is removed: neither members nor what was said."""
    ending = document.get("ending")
    return Conversation(
        id=document["_id"],
        kind=Kind(document["kind"]),
        phase=Phase(document["phase"]),
        revision=document["revision"],
        segments=document["segments"],
        head=bytes(document["head"]),
        held=tuple((first, last) for first, last in document["held"]),
        ending=ending and Ending(ending["sequence"], ending["at"]),
        removed="removed" in document,
    )


def _line(segment: Mapping[str, Any]) -> list[Any]:
    """Return what stands for a segment; one of an earlier release has no entry in the journal."""
    return [
        segment["_id"]["first"],
        segment["last"],
        segment["ordinal"],
        segment["hash"],
        segment.get("chain"),
        segment.get("entry"),
    ]
