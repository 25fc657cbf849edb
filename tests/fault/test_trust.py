"""Trust that changes while messages stream: keys that roll, a partner that is disabled, an issuer that is away."""

import json
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from pymongo import AsyncMongoClient

from deploy.stack.acls import Pattern, ensure_acls
from deploy.stack.listeners import KEYS_REFRESH_S
from deploy.stack.local import RunningStack, local_stack
from deploy.stack.topics import ensure_topics
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.login import ADMIN
from tests.conftest import TEST_GROUPS, TEST_TOPICS
from tests.support.program import Program
from tests.support.waiting import await_until

LIFE_S: Final = 10
"""A token's life: several end in each of these tests."""

CONVERSATIONS, MESSAGES = 20, 500
STREAM_S: Final = 40
"""How long the 10,000 messages take at their own speed."""

LIMIT_S: Final = 120.0
AWAY: Final = "the token issuer does not answer"


@pytest.fixture(scope="module")
async def short_lived(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """A stack whose tokens live shortly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYNC_ARCHIVER_ISSUER__LIFE_S", str(LIFE_S))
        async with local_stack(tmp_path_factory.mktemp("short-lived")) as stack:
            admin = stack.login(ADMIN)
            await ensure_acls(stack.bootstrap, admin, [TEST_TOPICS], TEST_GROUPS, Pattern.PREFIXED)
            yield stack


@pytest.fixture
async def program(short_lived: RunningStack, tmp_path: Path) -> Program:
    """The program on that stack, with topics and an archive of its own; the clock's skew is not forgiven."""
    stack = short_lived
    topics = Topics(*(f"{TEST_TOPICS}{tmp_path.name}.{name}" for name in ("conversations", "conferences", "contacts")))
    await ensure_topics(stack.bootstrap, topics, SystemClock(), login=stack.login(ADMIN))
    settings = {"EXCHANGE__SKEW_S": "0"}
    program = Program(
        stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.data / "issuer", topics, tmp_path, settings=settings
    )
    program.trust_issuer()
    return program


@pytest.fixture
def recording(program: Program) -> Path:
    """10,000 messages of twenty conversations, evenly over `STREAM_S`."""
    begin = datetime(2026, 1, 5, 9, tzinfo=UTC)
    log, out = program.folder / "log.jsonl", program.folder / "stream.jsonl"
    with log.open("w") as lines:
        for conversation in range(CONVERSATIONS):
            for order in range(MESSAGES):
                line = {
                    "source": "test",
                    "conversation": f"talk-{conversation}",
                    "kind": "message",
                    "at": (begin + timedelta(seconds=order * STREAM_S / MESSAGES)).isoformat(),
                    "from": ("Ada", "Grace")[order % 2],
                    "text": f"message {order} of {conversation}",
                    "order": order,
                }
                lines.write(json.dumps(line) + "\n")
    program.run("convert", log, out)
    return sorted_by_time(out)


def sorted_by_time(recording: Path) -> Path:
    """Interleave the conversations, as they would come; each one's own order stays."""
    lines = recording.read_text().splitlines()
    lines.sort(key=lambda line: int(json.loads(line)["ts"]))
    recording.write_text("".join(f"{line}\n" for line in lines))
    return recording


@contextmanager
def running(program: Program, *arguments: object) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a command beside the test, and end it with the block."""
    process = program.start(*arguments)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)


class Archive:
    """Looks at an archive as it is."""

    def __init__(self, database: Any) -> None:
        self._database = database

    async def offsets(self) -> int:
        """Return how far all lanes have come."""
        return sum([document["next"] async for document in self._database["checkpoints"].find()])

    def beyond(self, offset: int) -> Callable[[], Awaitable[bool]]:
        """Return the condition that more than so many records are archived."""

        async def condition() -> bool:
            return await self.offsets() > offset

        return condition

    async def refusals(self) -> list[str]:
        """Return the rules by which sessions were refused."""
        return [document["rule"] async for document in self._database["sessions"].find({"rule": {"$ne": None}})]

    async def keys(self) -> set[str]:
        """Return the keys of accepted sessions' tokens."""
        return set(await self._database["sessions"].distinct("x5t", {"rule": None}))


@pytest.fixture
async def archive(program: Program) -> AsyncIterator[Archive]:
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        yield Archive(client[program.database])


def records(recording: Path) -> int:
    return len(recording.read_text().splitlines())


async def test_keys_roll_twice_under_load(program: Program, recording: Path, archive: Archive) -> None:
    """10,000 messages while keys roll over twice: none lost, nobody refused, and three keys signed."""
    lead_s = KEYS_REFRESH_S + 2

    async def roll(then: int) -> None:
        answer = program.json("issuer", "roll", "--folder", program.issuer_folder, "--lead-s", lead_s)
        program.run("partner", "refresh", "lync")

        async def signs() -> bool:
            return answer["next"] in await archive.keys()

        await await_until(signs, LIMIT_S)
        assert await archive.offsets() >= then

    with running(program, "archive"), running(program, "replay", recording, "--speed", "1") as replay:
        await await_until(archive.beyond(0), LIMIT_S)
        await roll(1)
        await roll(1)
        assert replay.wait(LIMIT_S) == 0
        await await_until(archive.beyond(records(recording) - 1), LIMIT_S)
    assert await archive.refusals() == []
    assert len(await archive.keys()) == 3
    assert program.delays() == []
    assert program.verify(recording)["archived"] == 2 * CONVERSATIONS * MESSAGES


async def test_a_partner_is_disabled_in_mid_run(program: Program, recording: Path, archive: Archive) -> None:
    """Once `partner disable` returns nothing is written, lag grows, nothing is lost; enabled again all is caught up."""
    with running(program, "archive") as archiver, running(program, "replay", recording, "--speed", "4") as replay:
        await await_until(archive.beyond(500), LIMIT_S)
        program.run("partner", "disable", "lync")
        stopped = await archive.offsets()
        assert replay.wait(LIMIT_S) == 0
        assert await archive.offsets() == stopped
        assert "partner-disabled" in await archive.refusals()
        assert any("partner application lync is disabled" in reason for reason in program.delays())
        assert archiver.poll() is None
        program.run("partner", "enable", "lync")
        await await_until(archive.beyond(records(recording) - 1), LIMIT_S)
        assert stopped < records(recording)
    assert program.verify(recording)["archived"] == 2 * CONVERSATIONS * MESSAGES


async def test_the_issuer_is_away_for_longer_than_a_token_lives(
    program: Program, recording: Path, archive: Archive, short_lived: RunningStack
) -> None:
    """When the last token is over nothing is written; when the issuer is back, all is caught up and nothing is lost."""
    with running(program, "archive"), running(program, "replay", recording, "--speed", "1") as replay:
        await await_until(archive.beyond(500), LIMIT_S)
        await short_lived.stack.issuer.stop()
        try:
            await await_until(lambda: any(AWAY in reason for reason in program.delays()), LIMIT_S)
            over = await archive.offsets()
            await SystemClock().sleep(LIFE_S / 2)  # that nothing happens cannot be waited for
            assert await archive.offsets() == over < records(recording)
        finally:
            await short_lived.stack.up()
        assert replay.wait(LIMIT_S) == 0
        await await_until(archive.beyond(records(recording) - 1), LIMIT_S)
    assert program.verify(recording)["archived"] == 2 * CONVERSATIONS * MESSAGES
