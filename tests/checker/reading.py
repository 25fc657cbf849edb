"""Reads one record as plainly as it can be read: headers, JSON, a table of fields. None of the product's decoding."""

import json
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

PERSON = {"sip": str, "name": str}
CONTENT = {"id": str, "name": str, "media_type": str, "size": int, "sha256": str}
FIELDS: dict[str, dict[str, Any]] = {
    "lync.conversation.started.v1": {"thread": str, "initiator": str, "participants": [PERSON]},
    "lync.conversation.message.v1": {"sip": str, "text": str},
    "lync.conversation.participant-joined.v1": {"participant": PERSON},
    "lync.conversation.participant-left.v1": {"sip": str},
    "lync.conversation.missed.v1": {"participant": PERSON},
    "lync.conversation.ended.v1": {"last_sequence": int},
    "lync.call.started.v1": {"thread": str, "initiator": str, "participants": [PERSON]},
    "lync.call.missed.v1": {"participant": PERSON},
    "lync.call.ended.v1": {"last_sequence": int},
    "lync.conference.activated.v1": {"thread": str},
    "lync.conference.joined.v1": {"participant": PERSON},
    "lync.conference.left.v1": {"sip": str},
    "lync.conference.message.v1": {"sip": str, "text": str},
    "lync.conference.topic.v1": {"sip": str, "text": str},
    "lync.conference.content-uploaded.v1": {"sip": str, "content": CONTENT},
    "lync.conference.content-visibility.v1": {"sip": str, "content": CONTENT, "audience": str},
    "lync.conference.content-removed.v1": {"sip": str, "id": str, "name": str},
    "lync.conference.whiteboard-snapshot.v1": {"sip": str, "content": CONTENT},
    "lync.conference.joined.v2": {"participant": PERSON, "origin": str},
    "lync.conference.role-changed.v1": {"sip": str, "role": str},
    "lync.conference.lobby-entered.v1": {"participant": PERSON},
    "lync.conference.lobby-admitted.v1": {"sip": str, "by": str},
    "lync.conference.lobby-denied.v1": {"sip": str, "by": str},
    "lync.conference.ejected.v1": {"sip": str, "by": str},
    "lync.conference.locked.v1": {"sip": str, "locked": bool},
    "lync.conference.modality-joined.v1": {"sip": str, "modality": str},
    "lync.conference.modality-left.v1": {"sip": str, "modality": str},
    "lync.conference.poll-opened.v1": {"sip": str, "poll": str, "question": str, "choices": [str]},
    "lync.conference.poll-tallied.v1": {"poll": str, "tally": [int]},
    "lync.conference.poll-visibility.v1": {"sip": str, "poll": str, "tally": [int], "audience": str},
    "lync.conference.poll-closed.v1": {"sip": str, "poll": str},
    "lync.conference.question-asked.v1": {"sip": str, "question": str, "text": str},
    "lync.conference.question-answered.v1": {"sip": str, "question": str, "text": str},
    "lync.conference.notes-linked.v1": {"sip": str, "title": str, "link": str},
    "lync.conference.sharing-started.v1": {"sip": str, "sharing": str},
    "lync.conference.sharing-stopped.v1": {"sip": str, "sharing": str},
    "lync.conference.delivery-failed.v1": {"sip": str, "message": int, "recipients": [str]},
    "lync.conference.ended.v1": {"last_sequence": int},
}
OPENINGS = ("lync.conversation.started.v1", "lync.call.started.v1", "lync.conference.activated.v1")
DEFAULTS: dict[str, Any] = {
    "invited": [],
    "format": "plain",
    "reason": "closed",
    "modality": "audio",
    "duration_s": 0,
    "conference_uri": "",
    "instance": "",
    "organizer": None,
    "subject": "",
    "escalated_from": None,
    "by": None,
    "origin": "internal",
    "audience": "everyone",
}
"""Fields that may be left out, and what leaving them out says, unless the type has a default of its own."""

OWN_DEFAULTS: dict[str, dict[str, Any]] = {
    "lync.conference.poll-tallied.v1": {"audience": "presenters"},
    "lync.conference.question-asked.v1": {"audience": "presenters"},
}


class Fact(NamedTuple):
    """An event: its conversation and sequence, and what of it has to be kept. `data` is without the conversation."""

    conversation: str
    sequence: int
    id: str
    type: str
    at: str
    source: str
    data: dict[str, Any]

    @property
    def area(self) -> str:
        """`conversation`, `call` or `conference`."""
        return self.type.split(".")[1]

    @property
    def ends(self) -> bool:
        """Whether it is the last event of its conversation."""
        return self.type.endswith(".ended.v1")

    @property
    def file(self) -> dict[str, Any] | None:
        """The file that it refers to, if it does."""
        found: dict[str, Any] | None = self.data.get("content")
        return found

    def content(self) -> tuple[str, str, str]:
        """Return what two reports of one event have in common."""
        return self.id, self.type, json.dumps(self.data, sort_keys=True)


def read(key: bytes | None, headers: tuple[tuple[str, bytes | None], ...], value: bytes | None) -> Fact | None:
    """Return the event that a record carries, or None where it carries none that can be archived."""
    named = {name: (text or b"").decode("utf-8", "replace") for name, text in headers}
    if len(named) != len(headers) or named.get("ce_specversion") != "1.0" or key is None or value is None:
        return None
    name, at = named.get("ce_type", ""), utc(named.get("ce_time", ""))
    sequence = named.get("ce_sequence", "")
    if name not in FIELDS or at is None or not re.fullmatch("[1-9][0-9]{0,18}", sequence):
        return None
    try:
        data = json.loads(value, object_pairs_hook=_no_repeats)
    except ValueError:
        return None
    if not _has(data, {"conversation": str, **FIELDS[name]}) or data["conversation"].encode() != key:
        return None
    if (name in OPENINGS) is not (sequence == "1") or data.get("last_sequence", int(sequence)) != int(sequence):
        return None
    conversation = data.pop("conversation")
    return Fact(conversation, int(sequence), named["ce_id"], name, at, named.get("ce_source", ""), filled(name, data))


def filled(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data with what was left out, where that says something; every person has a role."""
    own = OWN_DEFAULTS.get(name, {})
    people = {key: [_person(one) for one in data[key]] for key in ("participants", "invited") if key in data}
    one = {key: _person(data[key]) for key in ("participant", "organizer") if data.get(key)}
    said = own | data | people | one
    return {key: value for key, value in said.items() if key in own or value != DEFAULTS.get(key, ...)}


def utc(text: str) -> str | None:
    """Return the time in UTC; one that is in UTC already keeps its digits."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return text if text.endswith("Z") else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _person(person: dict[str, Any]) -> dict[str, Any]:
    return {"role": "attendee", **person}


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _has(data: Any, fields: dict[str, Any]) -> bool:
    """Return whether it is an object that has all of these fields, each of its type."""
    return isinstance(data, dict) and all(name in data and _fits(data[name], wanted) for name, wanted in fields.items())


def _fits(value: Any, wanted: Any) -> bool:
    match wanted:
        case list():
            return isinstance(value, list) and all(_fits(one, wanted[0]) for one in value)
        case dict():
            return _has(value, wanted)
        case _:
            return type(value) is wanted
