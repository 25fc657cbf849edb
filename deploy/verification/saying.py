"""What an event reads like in a mailbox, in words of this model's own: its kind, whom it is of, and its text."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

Data = dict[str, Any]


class Said(NamedTuple):
    """An entry without its place and time."""

    kind: str
    sip: str
    text: str


def _text(data: Data) -> str:
    return str(data.get("text", ""))


def _nothing(_data: Data) -> str:
    return ""


def _file(data: Data) -> str:
    return str(data["content"]["name"])


def _counts(data: Data) -> str:
    return ", ".join(str(count) for count in data["tally"])


def _poll(data: Data) -> str:
    lines = [data["question"]]
    for choice in data["choices"]:
        lines.append(f"{len(lines)}. {choice}")
    return "\n".join(lines)


_READS: Final[dict[str, tuple[str, Callable[[Data], str]]]] = {
    "lync.conversation.message.v1": ("message", _text),
    "lync.conversation.participant-joined.v1": ("join", _nothing),
    "lync.conversation.participant-left.v1": ("leave", _nothing),
    "lync.conversation.missed.v1": ("missed", _nothing),
    "lync.call.started.v1": ("call-start", _nothing),
    "lync.call.missed.v1": ("missed", _nothing),
    "lync.call.ended.v1": ("call-end", _nothing),
    "lync.conference.joined.v1": ("join", _nothing),
    "lync.conference.joined.v2": ("join", _nothing),
    "lync.conference.left.v1": ("leave", _nothing),
    "lync.conference.ejected.v1": ("eject", _nothing),
    "lync.conference.message.v1": ("message", _text),
    "lync.conference.topic.v1": ("topic", _text),
    "lync.conference.content-uploaded.v1": ("content", _file),
    "lync.conference.content-visibility.v1": ("content", _file),
    "lync.conference.content-removed.v1": ("content-removed", lambda data: str(data["name"])),
    "lync.conference.whiteboard-snapshot.v1": ("whiteboard", _file),
    "lync.conference.role-changed.v1": ("role", lambda data: str(data["role"])),
    "lync.conference.lobby-entered.v1": ("lobby", lambda _: "entered"),
    "lync.conference.lobby-admitted.v1": ("lobby", lambda _: "admitted"),
    "lync.conference.lobby-denied.v1": ("lobby", lambda _: "denied"),
    "lync.conference.locked.v1": ("lock", lambda data: "locked" if data["locked"] else "unlocked"),
    "lync.conference.modality-joined.v1": ("modality", lambda data: f"joined {data['modality']}"),
    "lync.conference.modality-left.v1": ("modality", lambda data: f"left {data['modality']}"),
    "lync.conference.poll-opened.v1": ("poll", _poll),
    "lync.conference.poll-tallied.v1": ("poll-result", _counts),
    "lync.conference.poll-visibility.v1": ("poll-result", _counts),
    "lync.conference.poll-closed.v1": ("poll-closed", _nothing),
    "lync.conference.question-asked.v1": ("question", _text),
    "lync.conference.question-answered.v1": ("answer", _text),
    "lync.conference.notes-linked.v1": ("notes", lambda data: f"{data['title']}\n{data['link']}"),
    "lync.conference.sharing-started.v1": ("sharing", lambda data: f"started {data['sharing']}"),
    "lync.conference.sharing-stopped.v1": ("sharing", lambda data: f"stopped {data['sharing']}"),
    "lync.conference.delivery-failed.v1": ("delivery-failed", lambda data: ", ".join(data["recipients"])),
}
"""By type; those that make no entry are not here."""

_WORDS: Final = ("text", "question", "choices", "title", "link")
"""What people wrote, of which nobody needs to be reminded once it is said."""


def said(name: str, data: Data) -> Said | None:
    """Return what an event of this type reads like, None where it makes no entry."""
    if name not in _READS:
        return None
    kind, text = _READS[name]
    sip = data.get("sip") or data.get("initiator") or data.get("participant", {}).get("sip", "")
    return Said(kind, sip, text(data))


def forgotten(data: Data) -> Data:
    """Return the data without what people wrote."""
    return {member: value for member, value in data.items() if member not in _WORDS}
