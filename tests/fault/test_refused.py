"""A token that Kafka refuses ends each command in seconds, with one sentence."""

import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.stack.issuer import issuer_answers
from tests.fault.episodes import simulated
from tests.support.issuer import REALM
from tests.support.program import Program
from tests.support.waiting import await_until

SECONDS: float = 30
"""What a command may take on a busy machine; without the look ahead it would try for ever."""


@pytest.fixture
async def stranger(program: Program, tmp_path: Path) -> AsyncIterator[Program]:
    """The program as a client of another issuer, whose keys Kafka does not know."""
    folder = tmp_path / "stranger"
    folder.mkdir(mode=0o700)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = program.start("issuer", "serve", "--folder", folder, "--port", port, "--realm", REALM)
    try:
        await await_until(lambda: issuer_answers(port), 30)
        yield replace(program, issuer=f"http://127.0.0.1:{port}", issuer_folder=folder)
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("command", ["archive", "record", "replay", "simulate"])
async def test_a_refused_token_ends_a_command_in_one_sentence(
    program: Program, stranger: Program, tmp_path: Path, command: str
) -> None:
    """Exit code 78, what the broker refused, whose it was, and nothing more."""
    arguments: dict[str, tuple[object, ...]] = {
        "archive": ("--until-caught-up",),
        "record": (tmp_path / "out.jsonl", "--until-caught-up"),
        "replay": (simulated(program, users=5, hours=0.2),),
        "simulate": ("--users", 5, "--hours", 0.2),
    }
    _, said = stranger.outputs(command, *arguments[command], expect=78, limit_s=SECONDS)
    (sentence,) = [line for line in said.splitlines() if not line.startswith("{")]
    client = "lync-archiver" if command in {"archive", "record"} else "lync-producer"
    assert sentence.startswith(f"Kafka at {stranger.bootstrap} refused the token of {client}: ")
