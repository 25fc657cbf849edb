"""What nobody may find in a log, an error, a metric or an audit record: tokens, keys, secrets, what people wrote."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import pytest
from pymongo import AsyncMongoClient

from deploy.stack.acls import Pattern, ensure_acls
from deploy.stack.local import RunningStack, local_stack
from producers.recording import Recording
from producers.topics import Topics
from schemas.login import ADMIN
from schemas.record import Record
from tests.builders import ALICE, history, message, started
from tests.support.program import Program
from tests.support.waiting import await_until

BODY: Final = "canary-of-what-people-wrote"
BROKEN: Final = "canary-of-a-broken-record"
TOKEN: Final = re.compile(r"eyJ[0-9A-Za-z_-]{10,}")
"""Every token begins so: `{"` in base64url."""


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[RunningStack]:
    async with local_stack(tmp_path / "stack") as running:
        await ensure_acls(running.bootstrap, running.login(ADMIN), Topics().names, "test_", Pattern.PREFIXED)
        yield running


def canaries(stack: RunningStack) -> set[str]:
    """Return every secret of the stack: clients' secrets, lines of private keys, and what people wrote."""
    issuer = stack.data / "issuer"
    secrets = {file.read_text().strip() for file in issuer.rglob("*.secret")}
    keys = json.loads(next(issuer.rglob("keys.json")).read_text())["current"]
    private = keys.split("-----BEGIN CERTIFICATE-----")[0].splitlines()
    assert len(secrets) == 3
    return secrets | {line for line in private if len(line) == 64} | {BODY, BROKEN}


def logs(stack: RunningStack, program: Program) -> dict[str, str]:
    """Return every log of servers and commands."""
    found = {f"{name} log": (stack.data / name / "log").read_text() for name in ("kafka", "mongodb", "issuer")}
    return found | {"archiver log": program.log()}


def metrics(port: int) -> str:
    """Return an archiver's metrics."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


async def audit(program: Program) -> str:
    """Return partners and sessions as text."""
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        database = client[program.database]
        documents = [document for name in ("sessions", "partners") async for document in database[name].find()]
    assert documents
    return "\n".join(map(str, documents))


class Eavesdropper:
    """Runs commands and keeps whatever they say."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.said: dict[str, str] = {}

    def run(self, *arguments: object, expect: int = 0) -> None:
        """Run a command that is not meant to show what it was told."""
        self.said[" ".join(map(str, arguments[:2]))] = "".join(self._program.outputs(*arguments, expect=expect))


async def busy_hour(program: Program, ears: Eavesdropper, recording: Path) -> None:
    """Archive good and bad records, take and refuse good and bad tokens."""
    token = program.run("token", "issue").strip()
    assert TOKEN.match(token)
    ears.run("replay", recording)
    await await_until(lambda: "record-quarantined" in program.log(), 60)
    ears.run("partner", "disable", "lync")
    ears.run("token", "check", token, expect=1)
    ears.run("replay", recording)
    await await_until(lambda: bool(program.delays()), 60)
    ears.run("partner", "enable", "lync")
    ears.run("partner", "refresh", "lync")
    ears.run("token", "check", token)
    ears.run("token", "check", f"{token[:-9]}canarytok", expect=1)
    ears.run("token", "inspect", token)
    ears.run("config", "check", "--json")
    ears.run("quarantine", "list")


async def test_no_secret_is_anywhere_but_in_its_place(stack: RunningStack, tmp_path: Path) -> None:
    """A whole run, good and bad tokens and records in it: its output is searched for every secret there is."""
    program = Program(stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.data / "issuer", Topics(), tmp_path)
    program.trust_issuer()
    ears = Eavesdropper(program)
    recording = tmp_path / "run.jsonl"
    broken = Record("lync.conversations", -1, -1, 1, b"c2", (("ce_type", BROKEN.encode()),), BROKEN.encode())
    Recording(recording).write([*history(started(), message(ALICE, BODY)), broken])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    archiver = program.start("archive", LYNC_ARCHIVER_HTTP__PORT=port)
    try:
        await busy_hour(program, ears, recording)
        ears.said["metrics"] = await asyncio.to_thread(metrics, port)
    finally:
        archiver.terminate()
        assert archiver.wait(60) == 0
    said = ears.said | logs(stack, program) | {"audit": await audit(program)}
    leaks = {
        (place, canary)
        for place, text in said.items()
        for canary in {*canaries(stack), *TOKEN.findall(text)}
        if canary in text
    }
    assert leaks == set()
