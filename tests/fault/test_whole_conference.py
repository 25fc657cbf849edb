"""A large conference with all that conferences leave behind, from Kafka to who reads it, on the real stack."""

import json
from collections.abc import Iterable
from random import Random
from typing import Any, Final

import pytest
from bson import encode
from pymongo import AsyncMongoClient

from producers.gridfs_content import GridFsContent
from producers.recording import Recording
from producers.simulator.files import put_file
from producers.simulator.poll import FEW, Vote
from schemas.clock import SystemClock
from schemas.record import Record
from tests.checker.audience import Reports, readers
from tests.checker.compare import compare
from tests.checker.model import expect
from tests.checker.mongo import read_archive, read_files
from tests.checker.view import shown, views
from tests.support.meetings import conference, disordered, exchanged, recorded
from tests.support.program import Program

KINDS: Final = {
    "activated", "joined", "left", "message", "topic", "content-uploaded", "whiteboard-snapshot", "role-changed",
    "lobby-entered", "lobby-admitted", "lobby-denied", "ejected", "locked", "modality-joined", "modality-left",
    "content-visibility", "content-removed", "poll-opened", "poll-tallied", "poll-visibility", "poll-closed",
    "question-asked", "question-answered", "notes-linked", "sharing-started", "sharing-stopped", "delivery-failed",
    "ended",
}  # fmt: skip
POLL_SAYS: Final = {"conversation", "sip", "poll", "question", "choices", "tally", "audience"}


@pytest.mark.parametrize("people", [60, pytest.param(250, marks=pytest.mark.long)])
async def test_each_participant_has_the_conference_as_they_saw_it(program: Program, people: int) -> None:
    """Every mailbox shows what the independent model says, and each file is stored once.

    Some records come twice, and some late. Planted bugs: attendees are shown what is for presenters; messages that did
    not reach somebody are shown to them; guests have mailboxes.
    """
    told = recorded(conference(people=people), program.topics.conferences)
    history = await archived(program, told)
    files = await read_files(program.mongodb_uri, f"{program.database}_content")
    expected = expect(history, files)
    (name,) = expected.histories
    reports = expected.histories[name].reports
    assert {facts[0].type.split(".")[2] for facts in reports.values()} == KINDS
    assert len(readers(reports)) == people

    archive = await read_archive(program.mongodb_uri, program.database)
    assert compare(expected, archive, files).lines == []
    assert exported(program) == {sip: list(map(tuple, entries)) for sip, entries in views(reports).items()}
    digests = {fact.file["sha256"] for facts in reports.values() for fact in facts if fact.file is not None}
    assert files.keys() == digests
    assert len(digests) < sum(1 for facts in reports.values() if facts[0].file is not None)
    outside = {facts[0].data["participant"]["sip"] for facts in reports.values() if "origin" in facts[0].data}
    assert len(outside) > people // 20
    assert outside.isdisjoint(box["user"] for box in program.json("mailbox", "list"))
    await assert_no_voter_is_known(program, reports, people)
    program.run("audit", "verify")


async def assert_no_voter_is_known(program: Program, reports: Reports, people: int) -> None:
    """Who chose what makes no difference to a byte that is said, and what is stored of polls names no voter.

    With the votes exchanged among their voters the Lync side says the same, to the byte, and so the archive, which
    knows nothing else, is the same. Of all that is stored, in every collection, only events mention a poll; these name
    who asked, closed and showed it, and counts.
    """
    topic, seen = program.topics.conferences, list[Vote]()

    def exchange(votes: list[Vote]) -> list[Vote]:
        seen.extend(votes)
        return exchanged(votes)

    assert recorded(conference(exchange, people), topic) == recorded(conference(people=people), topic)
    polls = {fact.data["poll"] for facts in reports.values() for fact in facts if "poll" in fact.data}
    assert len(seen) >= FEW * len(polls) > 0
    mentions = await stored_with(program, polls)
    assert {where for where, _ in mentions} == {f"{program.database}.segments"}
    for _, text in mentions:
        for line in text.split("\n"):
            if any(poll in line for poll in polls):
                said = json.loads(line)
                assert said["type"].startswith("lync.conference.poll-")
                assert said["data"].keys() <= POLL_SAYS


async def stored_with(program: Program, words: Iterable[str]) -> list[tuple[str, str]]:
    """Return the place and the events of every document of the archive and of its files that has one of the words."""
    found: list[tuple[str, str]] = []
    wanted = [word.encode() for word in words]
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        for name in (program.database, f"{program.database}_content"):
            for collection in await client[name].list_collection_names():
                found += [
                    (f"{name}.{collection}", str(document.get("events", "")))
                    async for document in client[name][collection].find()
                    if any(word in encode(document) for word in wanted)
                ]
    return found


async def archived(program: Program, told: list[Record]) -> list[Record]:
    """Archive records as they may come, with their files, and verify; return what Kafka has of them."""
    async with GridFsContent(program.mongodb_uri, f"{program.database}_content", SystemClock()) as sink:
        for record in told:
            await put_file(record, sink)
    path = program.folder / "told.jsonl"
    Recording(path).write(disordered(told, Random(6)))
    program.run("replay", path)
    counts = program.archive()
    assert (counts["archived"], counts["quarantined"]) == (len({_sequence(record) for record in told}), 0)
    assert program.verify(path)["expected"] > counts["archived"]
    kept = program.folder / "kept.jsonl"
    program.run("record", kept, "--until-caught-up")
    return list(Recording(kept).read())


def _sequence(record: Record) -> bytes | None:
    return dict(record.headers)["ce_sequence"]


def exported(program: Program) -> dict[str, list[tuple[Any, ...]]]:
    """Return what each mailbox shows of its one item."""
    program.run("mailbox", "export", "--all", "out.jsonl")
    lines = (program.folder / "out.jsonl").read_text().split("\n")[:-1]
    mailboxes = {box["user"]: box["items"] for box in map(json.loads, lines)}
    assert all(len(items) == 1 for items in mailboxes.values())
    return {user: [tuple(shown(entry)) for entry in item["entries"]] for user, (item,) in mailboxes.items()}
