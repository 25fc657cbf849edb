"""The archived copies, on real processes: decided by policy, out of users' reach, untouched by what they do."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from consumers.folder import FolderId
from producers.recording import Recording
from schemas.envelope import decode
from tests.fault.episodes import another_archive, digest_of, simulated
from tests.support.program import Program

BEFORE = "2000-01-01T00:00:00Z"
HIDDEN = str(FolderId.PURGES)


def everybody(recording: Path) -> list[str]:
    """Return everybody who takes part in what a recording holds."""
    found: set[str] = set()
    for record in Recording(recording).read():
        data = decode(record, None).data
        people = (*getattr(data, "participants", ()), *getattr(data, "invited", ()), getattr(data, "participant", None))
        found.update(person.sip for person in people if person is not None)
    return sorted(found)


def archiving(people: list[str]) -> Iterator[dict[str, Any]]:
    """Yield policies by which a third of the people is archived in Exchange, a third in Lync, and a third nowhere."""
    both = {"enable_archiving": "im-and-web-conf", "enable_exchange_archiving": True}
    yield {"kind": "configuration", "identity": "global", "value": both}
    yield {"kind": "policy", "identity": "global", "value": {"archive_internal": True, "archive_external": True}}
    for number, sip in enumerate(people):
        policy = ("archiving-to-exchange", "use-lync-archiving-policy", "no-archiving")[number % 3]
        yield {"kind": "user", "identity": sip, "value": {"exchange_archiving": policy}}


@pytest.fixture
def recording(program: Program) -> Path:
    """An hour of forty people, in Kafka, with the policies in force from before it on."""
    recording = simulated(program, users=40, hours=1)
    policies = program.folder / "policies.jsonl"
    policies.write_text("".join(f"{json.dumps(line)}\n" for line in archiving(everybody(recording))))
    program.run("policy", "load", policies, "--from", BEFORE)
    return recording


def copies(program: Program) -> list[dict[str, Any]]:
    """Return every archived copy with its entries."""
    program.run("discovery", "export", "copies.jsonl")
    return [json.loads(line) for line in (program.folder / "copies.jsonl").read_text().splitlines()]


async def test_copies_are_what_policies_decide(program: Program, recording: Path) -> None:
    """Each copy is where its owner's policy says, holds just what the owner could see, and is decided alike anew."""
    program.archive("--batch", 50)
    program.verify(recording)
    found = copies(program)
    targets = dict(zip(everybody(recording), ["exchange", "lync", "none"] * 1000, strict=False))
    items = {
        item["id"]: item
        for line in _exported(program)
        for item in line["items"]
        if targets[line["user"]] != "none" and item["item_class"].rsplit(".", 1)[-1] != "Voice"
    }
    assert {copy["id"] for copy in found} == items.keys()
    assert len(found) > 20
    for copy in found:
        assert copy["target"] == targets[copy["mailbox"]]
        assert copy["entries"] == items[copy["id"]]["entries"]
        assert copy["folder"] == HIDDEN
    again = replace(program, database=f"{program.database}_again")
    program.run("rebuild", "--from", "kafka", "--into", again.database, "--batch", 7)
    assert copies(again) == found
    for arguments in (("list",), ("export", "nobody.jsonl")):
        output, error = program.outputs("discovery", *arguments, "nobody@contoso.example", expect=1)
        assert (output, error) == ("", "there is no mailbox sip:nobody@contoso.example\n")
    assert not (program.folder / "nobody.jsonl").exists()


async def test_users_never_reach_them(program: Program, recording: Path) -> None:
    """No reading command shows a copy or its folder; who deletes an item loses that item, and nothing of the copy."""
    program.archive()
    before = copies(program)
    users = [row["user"] for row in program.json("mailbox", "list")]
    said = [program.run("mailbox", "list", "--json")]
    for user in users[:6]:
        said.append(program.run("mailbox", "folders", user, "--json"))
        said.append(program.run("mailbox", "items", user, "--limit", 1000, "--json"))
        assert program.outputs("mailbox", "items", user, "--folder", HIDDEN, expect=1)[0] == ""
    said.append(json.dumps(_exported(program)))
    assert not any(HIDDEN in text or "purges" in text.lower() for text in said)
    owner, item = before[0]["mailbox"], before[0]["id"]
    program.run("mailbox", "show", owner, item)
    digest = program.json("digest")
    program.run("mailbox", "delete", owner, item)
    for arguments in (("show", owner, item), ("delete", owner, item)):
        program.run("mailbox", *arguments, expect=1)
    assert item not in program.run("mailbox", "items", owner, "--limit", 1000, "--json") + json.dumps(
        _exported(program)
    )
    assert copies(program) == before
    assert program.json("digest") != digest
    program.verify(recording)


@pytest.mark.long
async def test_without_policies_nothing_is_copied(program: Program) -> None:
    """Everything is off by default, and what people see is the same with and without policies."""
    recording = simulated(program, users=20, hours=0.5)
    digest = digest_of(program, recording, workers=1, batch=500)
    governed = another_archive(program)
    file = program.folder / "policies.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in archiving(everybody(recording))))
    governed.run("policy", "load", file, "--from", BEFORE)
    governed.archive()
    assert governed.verify(recording)["digest"] == digest
    program.archive()
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        assert await client[program.database]["purges"].count_documents({}) == 0
        assert await client[governed.database]["purges"].count_documents({}) > 0


def _exported(program: Program) -> list[dict[str, Any]]:
    program.run("mailbox", "export", "--all", "mailboxes.jsonl")
    return [json.loads(line) for line in (program.folder / "mailboxes.jsonl").read_text().splitlines()]
