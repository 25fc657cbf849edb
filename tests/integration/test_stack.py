"""The local stack by its commands: real servers, killed for real."""

import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from deploy.errors import InvalidSettings
from deploy.settings import issuer_url, kafka_bootstrap, load_settings, mongodb_uri
from deploy.stack.database import TRANSACTION_LIFE_S
from deploy.stack.pids import read_pid, started_at, write_pid
from deploy.stack.topics import PARTITIONS, connect_admin
from producers.kafka_publisher import KafkaPublisher
from producers.kafka_recorder import KafkaRecorder
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.login import ADMIN, ARCHIVER, PRODUCER
from schemas.record import Record
from tests.conftest import StackAddresses
from tests.support.waiting import await_until

SERVERS = ("kafka", "mongodb", "issuer")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


async def run_stack(command: str, data: Path, *options: str) -> Ended:
    """Run `lync-archiver stack COMMAND`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy", "stack", command, "--data", str(data), *options),
        cwd=data.parent,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def status(data: Path) -> dict[str, Any]:
    ended = await run_stack("status", data, "--json")
    assert (ended.code, ended.err) == (0, "")
    document: dict[str, Any] = json.loads(ended.out)
    return document


async def up(data: Path) -> Ended:
    ended = await run_stack("up", data)
    assert (ended.code, ended.err) == (0, "")
    return ended


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Java nor mongod nor anything else is on the path."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.fixture
async def data(tmp_path: Path) -> AsyncIterator[Path]:
    """A stack's folder; whatever runs in it is stopped after the test."""
    folder = tmp_path / "data"
    yield folder
    ended = await run_stack("down", folder)
    assert ended.code == 0
    assert not any(server_pid(folder, server) for server in SERVERS)


def server_pid(data: Path, server: str) -> int | None:
    return read_pid(data / server / "pid")


async def kill(data: Path, server: str) -> None:
    pid = server_pid(data, server)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await await_until(lambda: server_pid(data, server) is None, 10)


@asynccontextmanager
async def mongodb(uri: str) -> AsyncIterator[AsyncMongoClient[dict[str, Any]]]:
    async with AsyncMongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=10_000) as client:
        yield client


KEPT = Record("lync.contacts", 0, -1, 0, b"key", (), b"kept")


def addresses_of(data: Path, now: dict[str, Any]) -> StackAddresses:
    """Return where the stack's servers are, by its own word."""
    return StackAddresses(now["kafka"], now["mongodb"], now["issuer"], data / "issuer")


async def write_to_both(addresses: StackAddresses) -> None:
    async def one() -> AsyncIterator[Record]:
        yield KEPT

    async with KafkaPublisher(addresses.bootstrap, addresses.login(PRODUCER)) as publisher:
        await publisher.publish(one())
    async with mongodb(addresses.mongodb_uri) as client:
        await client.kept.things.insert_one({"_id": "kept"})


async def assert_both_kept(addresses: StackAddresses) -> None:
    login = addresses.login(ARCHIVER)
    async with KafkaRecorder(addresses.bootstrap, [KEPT.topic], SystemClock(), login) as recorder:
        assert [record.value async for record in recorder.history()] == [b"kept"]
    async with mongodb(addresses.mongodb_uri) as client:
        assert await client.kept.things.find_one() == {"_id": "kept"}


async def test_up_status_and_down_can_be_repeated(data: Path) -> None:
    assert await status(data) == {
        "running": False,
        "kafka": None,
        "mongodb": None,
        "issuer": None,
        "data": str(data),
    }
    assert (await run_stack("down", data)).code == 0

    assert "is up" in (await up(data)).out
    first = await status(data)
    assert first["running"] is True
    async with mongodb(first["mongodb"]) as client:
        answer = await client.admin.command("getParameter", transactionLifetimeLimitSeconds=1)
        assert answer["transactionLifetimeLimitSeconds"] == TRANSACTION_LIFE_S
    assert {stat.S_IMODE((data / server).stat().st_mode) for server in SERVERS} == {0o700}
    pids = [server_pid(data, server) for server in SERVERS]
    assert "already up" in (await up(data)).out
    assert [server_pid(data, server) for server in SERVERS] == pids

    settings = load_settings(stack={"data": data})
    assert kafka_bootstrap(settings) == first["kafka"]
    assert mongodb_uri(settings) == first["mongodb"]
    assert issuer_url(settings) == first["issuer"]

    assert "stopped" in (await run_stack("down", data)).out
    assert "not running" in (await run_stack("down", data)).out
    assert (await status(data))["running"] is False
    with pytest.raises(InvalidSettings, match=r"start it with `lync-archiver stack up`"):
        kafka_bootstrap(settings)


async def test_two_starts_at_once_over_pid_files_of_other_processes_start_one_stack(data: Path) -> None:
    for server, pid in zip(SERVERS, (os.getpid(), 2**22, 1), strict=True):
        folder = data / server
        folder.mkdir(parents=True)
        write_pid(folder / "pid", pid)
        record = json.loads((folder / "pid").read_text())
        (folder / "pid").write_text(json.dumps(record | {"started": "another time"}))

    outs = [ended.out for ended in await asyncio.gather(up(data), up(data))]

    assert sorted("already up" in out for out in outs) == [False, True]
    assert (await status(data))["running"] is True


async def test_up_restarts_killed_servers_on_their_ports_with_their_data(data: Path) -> None:
    await up(data)
    before = await status(data)
    addresses = addresses_of(data, before)
    await write_to_both(addresses)
    for server in SERVERS:
        survivors = [other for other in SERVERS if other != server]
        survivor_pids = [server_pid(data, survivor) for survivor in survivors]

        await kill(data, server)
        assert (await status(data))[server] is None
        assert "up again" in (await up(data)).out

        assert await status(data) == before
        assert [server_pid(data, survivor) for survivor in survivors] == survivor_pids
        await assert_both_kept(addresses)


async def test_a_server_that_cannot_start_is_named_with_its_own_words(data: Path) -> None:
    (data / "mongodb" / "storage" / "mongod.lock").mkdir(parents=True)

    ended = await run_stack("up", data)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("mongod ended before it was taking writes; the end of ")
    assert "Traceback" not in ended.err
    assert ended.err.count("\n") == 1


async def test_an_attached_stack_dies_with_its_parent_even_by_sigkill(tmp_path: Path) -> None:
    script = """
import asyncio, pathlib, sys
from deploy.stack.local import local_stack
async def main():
    async with local_stack(pathlib.Path(sys.argv[1])):
        print("ready", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"ready\n"
    pids = [server_pid(tmp_path, server) for server in SERVERS]
    assert all(pids)

    parent.kill()
    await parent.communicate()

    await await_until(lambda: all(pid is not None and started_at(pid) is None for pid in pids), 30)


async def test_topics_and_databases_are_each_tests_own(stack: StackAddresses, topics: Topics, database: str) -> None:
    admin = await connect_admin(stack.bootstrap, stack.login(ADMIN))
    found = await admin.describe_topics(list(topics.names))
    await admin.close()
    assert {topic["topic"]: len(topic["partitions"]) for topic in found} == dict.fromkeys(topics.names, PARTITIONS)
    async with mongodb(stack.mongodb_uri) as client, client.start_session() as session:
        async with await session.start_transaction():
            await client[database].things.insert_one({"_id": 1}, session=session)
        assert await client[database].things.count_documents({}) == 1
