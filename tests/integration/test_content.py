"""Files of meetings from the Lync side to who reads them, on the real stack, by the program as it is run."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from producers.gridfs_content import GridFsContent
from producers.recording import Recording
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.events import ContentReference
from tests.builders import ALICE, BOB, activated, adjourned, drawn, entered, history, reference, uploaded
from tests.conftest import StackAddresses
from tests.support.program import Program

LARGE = bytes(range(256)) * 12 * 4096
"""12 MiB: more than an item takes by default."""


@pytest.fixture
def program(stack: StackAddresses, topics: Topics, database: str, tmp_path: Path) -> Program:
    """The program with an archive of its own."""
    program = Program(stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.issuer_folder, topics, tmp_path, database)
    program.trust_issuer()
    return program


def record_meeting(program: Program, *files: ContentReference) -> Path:
    """Write the recording of a meeting in which Alice shares files, with Bob there, and replay it."""
    shared = [drawn(file) if file.media_type == "image/png" else uploaded(file) for file in files]
    records = history(activated(), entered(ALICE), entered(BOB), *shared, adjourned())
    path = program.folder / "meeting.jsonl"
    Recording(path).write(one._replace(topic=program.topics.conferences, partition=-1, offset=-1) for one in records)
    program.run("replay", path)
    return path


def attachments(program: Program) -> list[list[dict[str, Any]]]:
    """Return what each mailbox says of its files, in order."""
    program.run("mailbox", "export", "--all", "out.jsonl")
    mailboxes = map(json.loads, (program.folder / "out.jsonl").read_text().split("\n")[:-1])
    return [
        [file for item in mailbox["items"] for entry in item["entries"] for file in entry.get("attachments", ())]
        for mailbox in mailboxes
    ]


async def test_files_on_the_real_stack(program: Program, stack: StackAddresses) -> None:
    """Good files are archived, bad ones are stubs in quarantine until they are good, and one copy serves everybody."""
    slides, board, late = b"slides " * 99, b"a picture", b"put too late"
    async with GridFsContent(stack.mongodb_uri, f"{program.database}_content", SystemClock()) as sink:
        for data in (slides, board, LARGE, b"nobody's"):
            await sink.put(BytesIO(data), "file", "text/plain")
        files = [
            reference(slides, "Slides.pptx"),
            reference(board, "Board.png", media_type="image/png"),
            reference(LARGE, "Film.bin"),
            reference(late, "Late.txt"),
            reference(board, "Lie.txt", size=3),
        ]
        recording = record_meeting(program, *files)
        counts = program.archive()
        assert (counts["archived"], counts["quarantined"]) == (6, 3)
        found, bobs = attachments(program)
        assert [one["state"] for one in found] == ["stored", "stored", "oversized", "missing", "wrong"]
        assert [one["name"] for one in found] == ["Slides.pptx", "Board.png", "Film.bin", "Late.txt", "Lie.txt"]
        assert bobs == found
        causes = {entry["cause"] for entry in program.json("quarantine", "list")}
        assert causes == {"content-oversized", "content-missing", "content-mismatch"}
        verdict = program.verify(recording)
        assert (verdict["expected"], verdict["quarantined"]) == (13, 3)
        await sink.put(BytesIO(late), "Late.txt", "text/plain")

    raised = replace(program, settings={"CONTENT__ITEM_BYTES_MAX": str(len(LARGE))})
    tally = raised.json("quarantine", "redrive", "--all")
    assert (tally["archived"], tally["quarantined"]) == (2, 1)
    assert [[one["state"] for one in files] for files in attachments(program)] == [["stored"] * 4 + ["wrong"]] * 2
    assert program.verify(recording)["quarantined"] == 1
    item = program.json("mailbox", "items", ALICE.sip)[0]["id"]
    shown = program.run("mailbox", "show", ALICE.sip, item)
    assert "Slides.pptx (text/plain, 693 bytes, sha256 " in shown
    assert "[not archived: altered]" in shown
    assert program.json("content", "get", files[2].sha256, "film.bin")["bytes"] == len(LARGE)
    assert (program.folder / "film.bin").read_bytes() == LARGE
    program.run("content", "get", "0" * 64, "none.bin", expect=1)
    assert not (program.folder / "none.bin").exists()


@pytest.mark.long
def test_a_simulation_shares_files(program: Program) -> None:
    """Files of a simulation are in the store before their events, so that everything is archived."""
    options = ("--users", 40, "--hours", 2, "--seed", 5, "--files")
    program.run("simulate", *options)
    program.run("simulate", *options, "--out", "again.jsonl")
    counts = program.archive()
    assert counts["quarantined"] == 0
    assert program.verify(program.folder / "again.jsonl")["quarantined"] == 0
    assert {one["state"] for files in attachments(program) for one in files} == {"stored"}
    swept = program.json("content", "sweep", "--dry-run")
    assert (swept["idle"], swept["deleted"], swept["dry_run"]) == (0, 0, True)
