"""An archive made again from its recording and from Kafka is the same archive, on real processes, killed on the way."""

import hashlib
import json
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from pymongo import AsyncMongoClient

from producers.recording import Recording
from tests.fault.episodes import simulated
from tests.support.program import Program
from tests.support.waiting import await_until

LIMIT_S: Final = 120.0
SHOWN: Final = ("mailboxes", "items", "entries", "digest")


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """Return what `digest` prints, of whatever prints more."""
    return {name: document[name] for name in SHOWN}


def beside(program: Program, name: str) -> Program:
    """Return the program with the archive in another database, which is not made."""
    return replace(program, database=f"{program.database}_{name}")


def rebuild(program: Program, source: object, name: str, *more: object) -> dict[str, Any]:
    """Rebuild into another database; return what the command prints."""
    target = beside(program, name).database
    document: dict[str, Any] = program.json("rebuild", "--from", source, "--into", target, *more)
    return document


def digest_of_export(program: Program) -> str:
    """Work the digest out from the export, as the documentation says."""
    out = program.folder / "digest-export.jsonl"
    program.run("mailbox", "export", "--all", out)
    whole = hashlib.sha256()

    def add(document: dict[str, Any]) -> None:
        whole.update(json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n")

    for line in out.read_text().split("\n")[:-1]:
        mailbox = json.loads(line)
        items = mailbox.pop("items")
        add(mailbox)
        for item in items:
            entries = item.pop("entries")
            add(item)
            for entry in entries:
                add(entry)
    return whole.hexdigest()


def test_rebuilt_archives_are_the_same(program: Program) -> None:
    """One digest, archived by two workers with everything delivered twice, rebuilt from recordings and from Kafka.

    Recordings have places in Kafka, or none, or overlap. Only what was rebuilt from Kafka goes on from there.
    """
    made = simulated(program, users=20, hours=1)
    (program.folder / "bad.jsonl").write_text(_bad(program.topics.conversations))
    program.run("replay", program.folder / "bad.jsonl", "--speed", "max")
    archived = program.archive("--workers", 2, "--batch", 7)["archived"]
    program.run("replay", made, "--speed", "max")
    program.archive("--workers", 2, "--batch", 500)
    digest = program.json("digest")
    assert digest["entries"] > digest["items"] > digest["mailboxes"] > 10
    assert digest["digest"] == digest_of_export(program)

    kept, overlapping = program.folder / "kept.jsonl.zst", program.folder / "overlapping.jsonl.zst"
    program.run("record", kept, "--until-caught-up")
    program.run("recording", "merge", overlapping, kept, made)
    for name, source in {"made": made, "kept": kept, "overlapping": overlapping, "kafka": "kafka"}.items():
        rebuilt = rebuild(program, source, name, "--batch", 100)
        assert shown(rebuilt) == digest
        assert rebuilt["archived"] == archived
    quarantined = {entry["id"] for entry in program.json("quarantine", "list")}
    assert len(quarantined) == 3
    assert {entry["id"] for entry in beside(program, "kept").json("quarantine", "list")} == quarantined
    assert program.json("diff", program.database, beside(program, "kafka").database)["equal"]
    assert beside(program, "kafka").archive()["in"] == 0
    _, said = beside(program, "kept").outputs("archive", "--until-caught-up", expect=78)
    assert "was rebuilt from a recording" in said


def _bad(topic: str) -> str:
    line = {"topic": topic, "partition": 0, "offset": 0, "ts": 0, "key": "c", "headers": [], "payload": "{"}
    return "".join(json.dumps(line | {"offset": offset}) + "\n" for offset in range(3))


@pytest.mark.long
async def test_a_killed_rebuild_goes_on(program: Program) -> None:
    """Killed in the middle it is refused without --resume, and from other records; resumed it ends the same."""
    made = simulated(program, users=40, hours=1)
    archived = program.archive()
    digest = program.json("digest")
    for name, source, other in (("made", str(made), "kafka"), ("kafka", "kafka", str(made))):
        target = beside(program, name)
        into = ("--into", target.database)
        process = program.start("rebuild", "--from", source, *into, "--batch", 1)
        try:
            await await_until(_committed(target, 10), LIMIT_S)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        differing = program.run("diff", program.database, target.database, "--jsonl", "--max", 3, expect=1)
        assert len([json.loads(line)["mailbox"] for line in differing.splitlines()]) == 3
        assert "--resume" in program.outputs("rebuild", "--from", source, *into, expect=78)[1]
        assert "other records" in program.outputs("rebuild", "--from", other, *into, "--resume", expect=78)[1]
        rebuilt = program.json("rebuild", "--from", source, *into, "--resume")
        assert shown(rebuilt) == digest
        assert 0 < rebuilt["in"] <= archived["in"] - 10


def _committed(program: Program, batches: int) -> Callable[[], Awaitable[bool]]:
    async def committed() -> bool:
        async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
            points = client[program.database]["checkpoints"].find()
            return sum([int(point["archived"]) async for point in points]) >= batches

    return committed


async def test_targets_that_are_refused(program: Program) -> None:
    """The archive in force, whatever is not empty, and one that no trust was given: nothing is written there."""
    empty = program.folder / "empty.jsonl"
    Recording(empty).write([])
    taken, made = beside(program, "taken").database, beside(program, "made").database
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        await client[taken]["notes"].insert_one({"kept": True})
        for more, reason in (
            (("--into", program.database.upper()), "in force"),
            (("--into", taken), "not empty"),
            (("--into", taken, "--resume"), "no rebuild began"),
        ):
            assert reason in program.outputs("rebuild", "--from", empty, *more, expect=78)[1]
        assert await client[taken].list_collection_names() == ["notes"]
    damaged = program.folder / "damaged.jsonl"
    damaged.write_text("{}\n")
    program.run("rebuild", "--from", damaged, "--into", made, expect=1)
    program.run("digest", made, expect=78)
    stranger = beside(program, "stranger")
    assert "partner add" in stranger.outputs("rebuild", "--from", empty, "--into", made, expect=78)[1]
    rebuilt = program.json("rebuild", "--from", empty, "--into", made, "--resume")
    assert (rebuilt["in"], rebuilt["mailboxes"], rebuilt["digest"]) == (0, 0, hashlib.sha256().hexdigest())
    program.run("partner", "disable", "lync")
    assert "partner-disabled" in program.outputs("rebuild", "--from", empty, "--into", made, "--resume", expect=1)[1]
