"""The independent checker: it finds nothing in a clean archive, and each kind of harm where harm was done."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from pymongo import AsyncMongoClient

from producers.recording import Recording
from tests.checker.archive import Archive
from tests.checker.compare import compare
from tests.checker.model import expect
from tests.checker.mongo import read_archive, read_files
from tests.fault.episodes import simulated
from tests.support.program import Program

Harm = Callable[[Archive], None]


def _lose(archive: Archive) -> None:
    del archive.items[0]


def _duplicate(archive: Archive) -> None:
    archive.segments.append(archive.segments[0] | {"ordinal": 2})


def _misorder(archive: Archive) -> None:
    segment = max(archive.segments, key=lambda segment: len(segment["events"]))
    segment["events"] = "".join(f"{line}\n" for line in reversed(segment["events"].split("\n")[:-1]))


def _alter(archive: Archive) -> None:
    segment = next(segment for segment in archive.segments if '"text":"' in segment["events"])
    segment["events"] = segment["events"].replace('"text":"', '"text":"x', 1)


def _leak(archive: Archive) -> None:
    archive.items.append(archive.items[0] | {"mailbox": "sip:eve@example.com"})


def _promote(archive: Archive) -> None:
    for item in archive.items:
        item["presented"] = [[1, None]]


def _deliver(archive: Archive) -> None:
    for item in archive.items:
        item["undelivered"] = []


def _forget_files(archive: Archive) -> None:
    del archive.attachments[0]


def _swap_files(archive: Archive) -> None:
    one = archive.attachments[0]
    one["sha256"] = "0" * 64


def _invent(archive: Archive) -> None:
    archive.conversations.append(archive.conversations[0] | {"_id": "another"})


HARMS = (
    ("lost", _lose),
    ("lost", _forget_files),
    ("duplicated", _duplicate),
    ("misordered", _misorder),
    ("altered", _alter),
    ("altered", _swap_files),
    ("leaked", _leak),
    ("leaked", _promote),
    ("leaked", _deliver),
    ("invented", _invent),
)


async def test_a_clean_archive_and_ten_harms(program: Program) -> None:
    """An archive of simulated and hostile records is clean; each harm to it is found under its own name.

    Meetings are whole, and some of their files are not in the store.
    """
    simulated(program, 30, 1, 1, "--files", "--whole-meetings")
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        await client[f"{program.database}_content"]["fs.files"].delete_one({})
    hostile = program.folder / "hostile.jsonl"
    hostile.write_text(_hostile(program.topics.conversations))
    program.run("replay", hostile, "--speed", "max")
    program.archive()
    kept = program.folder / "kept.jsonl"
    program.run("record", kept, "--until-caught-up")
    records = (record for record in Recording(kept).read() if record.topic != program.topics.contacts)
    files = await read_files(program.mongodb_uri, f"{program.database}_content")
    expected = expect(records, files)
    assert len(expected.quarantined) > 2
    archive = await read_archive(program.mongodb_uri, program.database)
    assert compare(expected, archive, files).lines == []
    for kind, harm in HARMS:
        harmed = deepcopy(archive)
        harm(harmed)
        assert getattr(compare(expected, harmed, files), kind), harm.__name__


def _hostile(topic: str) -> str:
    line = {"topic": topic, "partition": 0, "offset": 0, "ts": 0, "key": "c", "headers": [], "payload": "{"}
    return "".join(json.dumps(line | {"offset": offset}) + "\n" for offset in range(2))
