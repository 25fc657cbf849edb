"""`audit verify`, as an auditor uses it, on archives that the whole program wrote."""

import json
from dataclasses import replace
from typing import Any

from pymongo import AsyncMongoClient

from consumers.mongo.layout import CONTENT_SUFFIX
from tests.fault.episodes import simulated
from tests.fault.test_hidden_copies import BEFORE, archiving, everybody
from tests.support.program import Program


async def test_the_program_writes_what_the_audit_takes_and_nobody_else_does(program: Program) -> None:
    """Archives of several workers, with policies, a deletion and a rebuild, are clean; an altered word is not."""
    recording = simulated(program, users=10, hours=0.5)
    policies = program.folder / "policies.jsonl"
    policies.write_text("".join(f"{json.dumps(line)}\n" for line in archiving(everybody(recording))))
    program.run("policy", "load", policies, "--from", BEFORE)
    program.archive("--workers", 2, "--batch", 25)
    user = next(row["user"] for row in program.json("mailbox", "list") if row["items"])
    item = program.json("mailbox", "items", user, "--limit", 1)[0]["id"]
    program.run("mailbox", "delete", user, item)
    files = {"CONTENT__DATABASE": f"{program.database}{CONTENT_SUFFIX}"}
    again = replace(program, database=f"{program.database}_again", settings=files)
    program.run("rebuild", "--from", "kafka", "--into", again.database)
    assert program.run("audit", "verify") == "everything is as it was written\n"
    assert _intact(again)
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        segments = client[program.database]["segments"]
        said = await segments.find_one({"events": {"$regex": '"text":"'}})
        assert said is not None
        altered = said["events"].replace('"text":"', '"text":"not ', 1)
        await segments.update_one({"_id": said["_id"]}, {"$set": {"events": altered}})
        name, first = said["_id"].values()
        for arguments in ((), ("--conversation", name)):
            findings = program.run("audit", "verify", *arguments, expect=1)
            assert findings.startswith(f"segments {name}/{first}: is altered")
            assert "not " not in findings.splitlines()[0]
    assert _intact(again)
    output, error = again.outputs("audit", "verify", "--conversation", "elsewhere", expect=1)
    assert (output, error) == ("", "there is no conversation elsewhere\n")


def _intact(archive: Program) -> bool:
    found = archive.json("audit", "verify")
    return bool(found["intact"]) and found["findings"] == []
