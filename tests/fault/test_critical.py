"""Critical mode on the real stack: what is blocked while the store fails, and that it passes without a loss."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pymongo import MongoClient

from deploy.stack.pids import read_pid
from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.catalogue import EventType
from schemas.envelope import decode
from tests.conftest import StackAddresses
from tests.fault.outages import Load, ended, frozen, has, lines, through, wrongly_blocked
from tests.support.program import Program
from tests.support.waiting import await_until

LIVE = Load(users=250, hours=0.4, speed=100)
"""Some 15 seconds: one to begin, five until the outage is noticed, five to recover."""

NOTHING = {"never": {"$exists": True}}
"""What no document is: a collection that demands it takes nothing, as one on a full disk."""


@pytest.fixture
def critical(program: Program, health_topic: str) -> Program:
    """The program with reports of health of its own."""
    return replace(program, settings={"KAFKA__HEALTH_TOPIC": health_topic})


@pytest.fixture
def mongod(stack: StackAddresses) -> int:
    """The pid of the session's mongod."""
    pid = read_pid(stack.data / "mongodb" / "pid") if stack.data else None
    if pid is None:
        pytest.skip("the mongod that is set is not a test's to stop")
    return pid


async def test_critical_mode_blocks_while_the_store_fails(critical: Program, mongod: int) -> None:
    """Only people who are archived are blocked, conferences are restricted; it passes, and nothing accepted is lost."""
    seen = await through(critical, LIVE, frozen(mongod, least_s=0), critical=True)
    assert seen.accepted + sum(seen.refused.values()) == seen.simulated
    assert seen.refused["im-blocked"] > 0
    assert seen.refused.get("conference-not-activated", 0) + seen.refused.get("conference-restricted", 0) > 0
    assert wrongly_blocked(critical, LIVE) == set()


@pytest.mark.long
async def test_without_critical_mode_everything_is_accepted_and_waits(critical: Program, mongod: int) -> None:
    """Kafka takes it all while the store is away, and nothing of it is lost."""
    load = replace(LIVE, hours=0.1, speed=60)
    seen = await through(critical, load, frozen(mongod, least_s=0), critical=False)
    assert (seen.accepted, seen.refused) == (seen.simulated, {})


@contextmanager
def no_files(program: Program) -> Iterator[None]:
    """Let the store of files take nothing while the block runs."""
    with MongoClient[dict[str, object]](program.mongodb_uri) as client:
        contents = client[f"{program.database}_content"]
        contents.command("collMod", "probes", validator=NOTHING)
        try:
            yield
        finally:
            contents.command("collMod", "probes", validator={})


async def test_where_files_alone_fail_instant_messages_go_on(critical: Program) -> None:
    """No conference begins, every instant message is accepted; once files are kept again, conferences begin."""
    archiver = critical.start("archive")
    try:
        await await_until(lambda: has(critical, "batch-committed") or has(critical, "started"), 60)
        await await_until(lambda: "probes" in _collections(critical), 60)
        with no_files(critical):
            await await_until(lambda: has(critical, "store-failing"), 60)
            (said,) = (line for line in lines(critical) if line["action"] == "store-failing")
            assert (said["store"], said["files"]) == ("ok", "failing")
            found = critical.json("simulate", "--users", 60, "--hours", 0.5, "--critical")
        await await_until(lambda: has(critical, "store-well"), 60)
        simulated = Counter(decode(record, None).type for record in simulate(60, 0.5, 1, Topics()))
        conferences = sum(count for name, count in simulated.items() if name.startswith("lync.conference."))
        begun = simulated[EventType.CONFERENCE_ACTIVATED]
        assert begun > 0
        assert found["refused"] == {"conference-not-activated": begun, "never-began": conferences - begun}
        assert found["records"] == simulated.total() - conferences
        again = critical.json("simulate", "--users", 60, "--hours", 0.5, "--seed", 2, "--critical")
        assert again["refused"] == {}
        archiver.terminate()
        await ended(archiver)
    finally:
        archiver.kill()
        archiver.wait()
    left = critical.json("simulate", "--users", 60, "--hours", 0.5, "--seed", 3, "--critical")
    assert left["refused"]["im-blocked"] > 0, "nobody archives, so nobody may write"


def _collections(program: Program) -> list[str]:
    with MongoClient[dict[str, object]](program.mongodb_uri) as client:
        return client[f"{program.database}_content"].list_collection_names()
