"""Recorded chats through the whole program, against what the chat log itself says."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from producers.lines import read_lines
from tests.support.program import Program

CHATS = ("chatterbot", "duraspace", "naughty", "ubuntu_threads")
Seen = dict[tuple[str, str], list[tuple[str, str]]]
"""What each handle saw of each conversation: (kind, text) in order, messages and topics."""


@pytest.mark.parametrize("chat", CHATS)
def test_recorded_chat(program: Program, recorded: Path, chat: str) -> None:
    """Converted, replayed, archived: all zero; exported as the chat log says; a second replay changes nothing."""
    log, recording = recorded / f"{chat}.jsonl.gz", program.folder / "chat.jsonl.zst"
    program.run("convert", log, recording)
    program.run("replay", recording, "--speed", "max")
    first = program.archive()
    verdict = program.verify(recording)
    assert seen_in_export(program) == seen_in_log(log)
    program.run("replay", recording, "--speed", "max")
    assert program.archive() == {"in": first["in"], "archived": 0, "duplicate": first["in"], "quarantined": 0}
    assert program.verify(recording) == verdict


def seen_in_export(program: Program) -> Seen:
    """Read the export of all mailboxes; the handle is the mailbox's name."""
    out = program.folder / "all.jsonl"
    program.run("mailbox", "export", "--all", out)
    seen: Seen = {}
    for line in read_lines(out):
        mailbox = json.loads(line)
        for item in mailbox["items"]:
            _check_item(item)
            said = [(e["kind"], e["text"]) for e in item["entries"] if e["kind"] in {"message", "topic"}]
            if said:
                seen[mailbox["name"], item["conversation"]] = said
    return seen


def _check_item(item: dict[str, Any]) -> None:
    """The item has the contract's fields, its entries are in order, and nothing of it is missing."""
    contract = {"id", "folder", "item_class", "subject", "conversation", "kind", "status", "started_at", "ended_at"}
    assert item.keys() >= contract | {"complete", "gaps", "participants", "entries"}
    assert item["kind"] in {"conversation", "conference"}
    assert item["complete"]
    assert item["gaps"] == []
    sequences = [entry["sequence"] for entry in item["entries"]]
    assert sequences == sorted(set(sequences))
    assert all(entry.keys() == {"sequence", "at", "kind", "sip", "name", "text"} for entry in item["entries"])
    assert all(person.keys() == {"sip", "name", "role", "joined"} for person in item["participants"])


def seen_in_log(log: Path) -> Seen:
    """Walk the chat log with the set of people present, as the contract says, and nothing of the product."""
    conversations: dict[str, list[dict[str, Any]]] = {}
    with gzip.open(log) as lines:
        for line in lines:
            entry = json.loads(line)
            conversations.setdefault(entry["conversation"], []).append(entry)
    seen: Seen = {}
    for name, entries in conversations.items():
        entries.sort(key=lambda entry: entry["order"])
        handles = {entry["from"] for entry in entries}
        two = len(handles) == 2 and all(entry["kind"] == "message" for entry in entries)
        present = set(handles) if two else set()
        for entry in entries:
            if entry["kind"] in {"join", "message", "topic"}:
                present.add(entry["from"])
            else:
                present.discard(entry["from"])
            if entry["kind"] == "rename":
                present.add(entry["to"])
            if entry["kind"] in {"message", "topic"}:
                for handle in present:
                    seen.setdefault((handle, name), []).append((entry["kind"], entry["text"]))
    return seen
