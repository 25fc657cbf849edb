"""One item, rendered for a person: header, people and lines; pauses in which the conversation had closed are shown."""

from typing import Any

from consumers.idle import idle_closes
from deploy.cli.printing import print_line
from schemas.times import parse_time

_SAYS = {
    "join": "joined",
    "leave": "left",
    "missed": "missed it",
    "call-start": "called",
    "call-end": "call ended",
    "content": "shared",
    "whiteboard": "drew on the whiteboard",
    "role": "has the role of {text}",
    "lobby": "in the lobby: {text}",
    "eject": "was sent away",
    "lock": "{text} the conference",
    "modality": "{text}",
    "content-removed": "removed {text}",
    "poll": "asks all: {text}",
    "poll-result": "poll so far: {text}",
    "poll-closed": "closed the poll",
    "question": "asks: {text}",
    "answer": "answers: {text}",
    "notes": "linked notes: {text}",
    "sharing": "{text} sharing",
    "delivery-failed": "did not reach {text}",
}
"""What a line says after its person's name; `{text}` stands for its text, on one line."""

_STUBS = {"missing": "not archived: missing", "wrong": "not archived: altered", "oversized": "not archived: too large"}


def print_transcript(document: dict[str, Any]) -> None:
    """Print an item in the export format."""
    print_line(document["subject"] or document["conversation"])
    print_line(f"{document['item_class']}  {document['status']}  {document['folder']}  item {document['id']}")
    print_line(f"{document['started_at'] or '?'} to {document['ended_at'] or '(not ended)'}")
    people = ", ".join(f"{person['name']} <{person['sip']}>" for person in document["participants"])
    print_line(f"With: {people}")
    if document["gaps"]:
        print_line(f"Missing sequences: {document['gaps']}")
    entries = document["entries"]
    times = [(entry["sequence"], parse_time(entry["at"])[1]) for entry in entries]
    pauses = {close.sequence: close for close in idle_closes(times)}
    for entry in entries:
        print_line(f"  {entry['at']}  {_line(entry)}")
        if entry["sequence"] in pauses:
            print_line("  ... closed after ten idle minutes, and opened again ...")


def _line(entry: dict[str, Any]) -> str:
    who = entry["name"] or entry["sip"]
    if entry["kind"] == "message":
        return f"{who}: {entry['text']}"
    if entry["kind"] == "topic":
        return f"{who} set the topic: {entry['text']}"
    if entry.get("attachments"):
        return f"* {who} {_SAYS[entry['kind']]} {'; '.join(map(_file, entry['attachments']))}"
    says = _SAYS[entry["kind"]].format(text=" / ".join(entry["text"].splitlines()))
    return f"* {who} {says}" if who else f"* {says}"


def _file(attachment: dict[str, Any]) -> str:
    """Return a file's name, size and digest; a stub says why the file is not there."""
    stub = _STUBS.get(attachment["state"])
    facts = f"{attachment['media_type']}, {attachment['size']} bytes, sha256 {attachment['sha256']}"
    return f"{attachment['name']} ({facts})" + (f" [{stub}]" if stub else "")
