"""Sweeps and purges on real processes: what policies have deleted goes, all else stays, and the journal says so."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from pymongo import AsyncMongoClient

from producers.recording import Recording
from schemas.clock import SystemClock
from schemas.events import EventData, Participant
from schemas.record import Record
from tests.builders import activated, adjourned, ended, entered, message, person, record, said, started
from tests.fault.test_hidden_copies import BEFORE
from tests.fault.test_redrive import counted, short_transactions
from tests.support.clock import START
from tests.support.program import Program
from tests.support.waiting import await_until

LIMIT_S: Final = 120.0
DAY_S: Final = 86400
LYNC, EXCHANGE, NOWHERE = person("lync"), person("exchange"), person("nowhere")
HOUSE: Final = {"lync": "use-lync-archiving-policy", "exchange": "archiving-to-exchange", "nowhere": "no-archiving"}


@dataclass(frozen=True, slots=True)
class Archive:
    """The program with policies in force; nobody keeps a history, so that what is not archived is nobody's."""

    program: Program

    def govern(self, *people: Participant, **configuration: Any) -> None:
        """Let people be archived as the first part of their handle says."""
        both = {"enable_archiving": "im-and-web-conf", "enable_exchange_archiving": True, **configuration}
        lines = [
            {"kind": "configuration", "identity": "global", "value": both},
            {"kind": "policy", "identity": "global", "value": {"archive_internal": True, "archive_external": True}},
        ]
        for who in people:
            route = HOUSE[who.sip.split(":")[1].split("@")[0].split("-")[0]]
            value = {"exchange_archiving": route, "conversation_history": False}
            lines.append({"kind": "user", "identity": who.sip, "value": value})
        file = self.program.folder / "policies.jsonl"
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        self.program.run("policy", "load", file, "--from", BEFORE)

    def archive(self, histories: Iterable[list[Record]]) -> Path:
        """Bring conversations into the archive, through Kafka, and return their recording."""
        topics = self.program.topics
        named = {"lync.conversations": topics.conversations, "lync.conferences": topics.conferences}
        recording = self.program.folder / f"recording-{len(list(self.program.folder.iterdir()))}.jsonl.gz"
        records = [one._replace(topic=named[one.topic]) for history in histories for one in history]
        Recording(recording).write(records)
        self.program.run("replay", recording, "--speed", "max")
        self.program.archive()
        return recording

    def purge(self, *arguments: object) -> dict[str, Any]:
        """Run a command of `purge` and return what it says."""
        done: dict[str, Any] = self.program.json("purge", *arguments)
        return done

    def audit(self) -> None:
        """What is there, and what was deleted, is what the journal says."""
        assert self.program.json("audit", "verify")["findings"] == []

    async def documents(self, collection: str, **query: Any) -> list[dict[str, Any]]:
        async with AsyncMongoClient[dict[str, Any]](self.program.mongodb_uri) as client:
            return [one async for one in client[self.program.database][collection].find(query, sort=[("_id", 1)])]

    async def copies(self) -> list[tuple[str, str]]:
        """Return whose copies of what there are."""
        found = await self.documents("purges")
        return sorted((copy["conversation"], copy["mailbox"].split(":")[1].split("@")[0]) for copy in found)

    async def states(self) -> dict[str, bool]:
        """Return of each conversation whether its content is there: all of it is, or nothing."""
        segments = Counter(one["_id"]["conversation"] for one in await self.documents("segments"))
        found = {}
        for one in await self.documents("conversations"):
            assert segments[one["_id"]] == (0 if "removed" in one else one["segments"])
            found[one["_id"]] = "removed" not in one
        return found


@pytest.fixture
def archive(program: Program) -> Archive:
    return Archive(program)


def laid_out(steps: list[EventData], day: float) -> list[Record]:
    """Return the records of one history, which begins so many days after the start of all."""
    return [record(number, step, at_s=day * DAY_S + number) for number, step in enumerate(steps, 1)]


def talk(name: str, *people: Participant, day: float = 0) -> list[Record]:
    steps = [started(*people, conversation=name), message(people[0], "hello", name), ended(3, name)]
    return laid_out(steps, day)


def meeting(name: str, *people: Participant) -> list[Record]:
    steps = [activated(name), *(entered(who, name) for who in people), said(people[0], "hello", name)]
    return laid_out([*steps, adjourned(len(steps) + 1, name)], 0)


async def test_a_meeting_is_kept_for_one_participant(archive: Archive) -> None:
    """Of four participants one is enabled: the whole meeting stays. Of none: it is gone after CachePurgingInterval."""
    others = [person(f"nowhere-{number}") for number in range(4)]
    archive.govern(LYNC, *others)
    one = meeting("kept", LYNC, *others[:3])
    none = meeting("swept", *others)
    recording = archive.archive([one, none])
    assert await archive.states() == {"kept": True, "swept": True}
    assert archive.purge("sweep", "--dry-run")["removed"] == 1
    assert (await archive.states())["swept"]
    assert archive.purge("sweep") == {"looked": 1, "purged": 0, "removed": 1, "kept": {}}
    assert await archive.states() == {"kept": True, "swept": False}
    assert await archive.copies() == [("kept", "lync")]
    (copy,) = exported(archive)
    assert [entry["kind"] for entry in copy["entries"]] == ["join"] * 4 + ["message"]
    archive.audit()
    verdict = archive.program.json("verify", recording, expect=1)  # nobody keeps a history: items are missing
    assert verdict["removed"] == 4 + 3 + 2 + 1 + 4
    (tombstone,) = [one for one in await archive.documents("conversations") if "removed" in one]
    assert (tombstone["held"], tombstone["removed"]["reason"]) == ([[1, 7]], "sweep")
    assert "nowhere" not in str(tombstone)
    (act,) = await archive.documents("journal", act="sweep")
    assert json.loads(act["body"])["conversation"] == "swept"


@pytest.mark.long
async def test_a_meeting_waits_for_its_interval(archive: Archive) -> None:
    """Younger than CachePurgingInterval it stays, and one that may still go on does."""
    archive.govern(NOWHERE, cache_purging_interval_h=168)
    now = laid_out([activated("m1"), entered(NOWHERE, "m1"), adjourned(3, "m1")], days_to_now() - 6)
    going = laid_out([activated("m2"), entered(NOWHERE, "m2")], days_to_now() - 30)
    archive.archive([going])
    assert archive.purge("sweep")["kept"] == {"open": 1}
    archive.archive([now])
    assert archive.purge("sweep")["kept"]["young"] == 1
    assert (await archive.states())["m1"]


def days_to_now() -> float:
    """Return how many days after the tests' start of all it is."""
    return (SystemClock().now() - START).total_seconds() / DAY_S


def exported(archive: Archive, *arguments: object) -> list[dict[str, Any]]:
    archive.program.run("discovery", "export", "copies.jsonl", *arguments)
    return [json.loads(line) for line in (archive.program.folder / "copies.jsonl").read_text().splitlines()]


def matrix(now: float) -> Iterator[list[Record]]:
    """Yield conversations of somebody in Lync's archive and somebody in Exchange's: old and young, of two kinds."""
    for age, day in (("old", now - 30), ("young", now - 1)):
        for kind in ("exported", "plain"):
            yield talk(f"{age}-{kind}", LYNC, EXCHANGE, day=day)


@pytest.mark.long
@pytest.mark.parametrize("exported_only", [False, True])
async def test_the_purge_matrix(archive: Archive, exported_only: bool) -> None:
    """EnablePurging x age x exported x PurgeExportedArchivesOnly, by the commands; Exchange's copies always stay."""
    program = archive.program
    archive.govern(LYNC, EXCHANGE, purge_exported_archives_only=exported_only)
    histories = list(matrix(days_to_now()))
    archive.archive([one for one in histories if "exported" in (one[0].key or b"").decode()])
    assert len(exported(archive, "--mark-exported")) == 4
    archive.archive(histories[1::2])
    assert archive.purge("daily", "--now")["purged"] == 0  # EnablePurging is off by default
    assert len(await archive.copies()) == 8
    program.run("policy", "set", "configuration", "global", "enable_purging=true")
    would = archive.purge("daily", "--now", "--dry-run")
    assert len(await archive.copies()) == 8
    purged = archive.purge("daily", "--now")
    assert purged == would
    gone = {"old-exported"} if exported_only else {"old-exported", "old-plain"}
    left = {name for name, owner in await archive.copies() if owner == "lync"}
    assert left == {"old-exported", "old-plain", "young-exported", "young-plain"} - gone
    assert purged["purged"] == len(gone)
    assert len([owner for _, owner in await archive.copies() if owner == "exchange"]) == 4
    assert all((await archive.states()).values())
    assert (await archive.documents("purge_runs"))[0]["_id"] == "daily"
    acts = await archive.documents("journal", act="purge")
    assert {json.loads(act["body"])["conversation"] for act in acts} == gone
    assert all(json.loads(act["body"])["mailboxes"] == [LYNC.sip] for act in acts)
    archive.audit()


@pytest.mark.long
async def test_a_purge_has_its_hour(archive: Archive) -> None:
    """What ran today does not run again until the hour comes again, in a day; `--now` does."""
    archive.govern(LYNC, NOWHERE, enable_purging=True, purge_hour_of_day=0)
    archive.archive([talk("c1", LYNC, NOWHERE)])
    assert archive.purge("daily")["removed"] == 1
    day = SystemClock().now().date()
    archive.archive([talk("c2", LYNC, NOWHERE)])
    again = archive.purge("daily")["removed"]
    assert again == 0 or SystemClock().now().date() > day
    assert archive.purge("daily", "--now")["removed"] == 1 - again
    assert await archive.states() == {"c1": False, "c2": False}


async def test_a_manual_purge(archive: Archive) -> None:
    """EnablePurging plays no part; the oldest first, at most so many; holds are heeded; late events are kept whole."""
    program = archive.program
    archive.govern(LYNC, person("lync-2"))
    first = talk("c3", LYNC, person("lync-2"))
    late, first = first[1:2], [first[0], first[2]]
    archive.archive([first, talk("c2", LYNC, person("lync-2"), day=1), talk("c1", LYNC, day=2)])
    tally = archive.purge("manual", "--older-than-hours", 24, "--max", 3)
    assert (tally["purged"], tally["removed"]) == (3, 1)
    assert await archive.states() == {"c1": True, "c2": True, "c3": False}
    assert [name for name, _ in await archive.copies()] == ["c1", "c2"]
    program.run("policy", "set", "hold", LYNC.sip, "held=true")
    tally = archive.purge("manual", "--older-than-hours", 24)
    assert tally["kept"]["held"] >= 1
    assert {owner for _, owner in await archive.copies()} == {"lync"}
    program.run("purge", "manual", expect=2)
    elsewhere = replace(program, database=f"{program.database}_elsewhere")
    assert elsewhere.json("policy", "show") == []
    for arguments in (
        ("purge", "sweep"),
        ("purge", "daily", "--dry-run"),
        ("content", "sweep"),
        ("quarantine", "redrive", "--all"),
        ("discovery", "export", str(program.folder / "copies.jsonl"), "--mark-exported"),
        ("digest",),
    ):
        output, error = elsewhere.outputs(*arguments, expect=78)  # nothing made an archive there
        assert (output, error) == ("", f"database {elsewhere.database} holds no archive\n")

    recording = archive.archive([first, late])
    (entry,) = program.json("quarantine", "list")
    assert entry["cause"] == "conversation-removed"
    assert program.json("quarantine", "redrive", "--all")["quarantined"] == 1
    (entry,) = program.json("quarantine", "list")
    assert entry["cause"] == "conversation-removed"
    counts = await counted(program)
    assert (counts["archived"], counts["duplicate"], counts["quarantined"], counts["in"]) == (8, 2, 1, 11)
    verdict = program.json("verify", recording)
    assert (verdict["missing"], verdict["quarantined"]) == (0, 1)
    archive.audit()


@pytest.mark.long
async def test_a_purge_that_is_killed_goes_on(archive: Archive) -> None:
    """Killed with SIGKILL in the middle, every conversation is whole or gone, and the same command does the rest."""
    program = archive.program
    archive.govern(LYNC, NOWHERE)
    names = [f"c{number:03}" for number in range(60)]
    archive.archive(talk(name, LYNC, NOWHERE) for name in names)
    async with short_transactions(program):
        process = program.start("purge", "manual", "--older-than-hours", 1)
        try:
            await await_until(lambda: _some_removed(archive), LIMIT_S)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        states = await archive.states()
        left = sum(states.values())
        assert 0 < left < len(names)
        assert sorted(name for name, there in states.items() if there) == [name for name, _ in await archive.copies()]
        tally = program.json("purge", "manual", "--older-than-hours", 1)
    assert (tally["purged"], tally["removed"]) == (left, left)
    assert not any((await archive.states()).values())
    acts = await archive.documents("journal", act="purge")
    assert sorted(json.loads(act["body"])["conversation"] for act in acts) == names
    archive.audit()


async def _some_removed(archive: Archive) -> bool:
    return len(await archive.documents("conversations", removed={"$exists": True})) >= 3


@pytest.mark.long
async def test_an_archiver_purges_beside(archive: Archive) -> None:
    """Where the settings have it so, a running archiver sweeps and purges; where not, it deletes nothing."""
    archive.govern(LYNC, NOWHERE, enable_purging=True, purge_hour_of_day=0)
    archive.archive([talk("c1", LYNC, NOWHERE), meeting("m1", NOWHERE)])
    assert await archive.states() == {"c1": True, "m1": True}
    process = archive.program.start("archive", LYNC_ARCHIVER_ARCHIVE__PURGING="true")
    try:
        await await_until(lambda: _all_removed(archive), LIMIT_S)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    assert process.returncode == 0
    actions = [json.loads(line)["action"] for line in archive.program.log().splitlines() if line.startswith("{")]
    assert {"swept", "purged"} <= set(actions)


async def _all_removed(archive: Archive) -> bool:
    return len(await archive.documents("conversations", removed={"$exists": True})) == 2
