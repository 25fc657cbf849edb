"""Two archives on a real server: equal ones have one digest, and each harm to one is named, at its place, textless."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import pytest

from consumers.batch import Checkpoint, LaneId
from consumers.decoding import decode_all
from consumers.fold import fold
from consumers.mongo.layout import Database, prepare
from consumers.mongo.partners import MongoPartners
from consumers.mongo.reader import MongoReader
from consumers.mongo.store import MAJORITY, MongoStore, connect
from consumers.mongo.transaction import JOURNALED
from deploy.difference import differences
from deploy.digest import digest
from deploy.verification.beyond import beyond
from deploy.verification.comparison import Difference, compare
from deploy.verification.model import expect
from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.catalogue import Stream
from schemas.clock import SystemClock
from schemas.record import Record
from tests.support.audit import SIGNER
from tests.support.clock import ManualClock
from tests.support.trust import GRANT, PARTNER

TOPICS: Final = Topics()
LANE: Final = LaneId(TOPICS.conversations, 0)
STREAMS: Final = {TOPICS.conversations: Stream.CONVERSATIONS, TOPICS.conferences: Stream.CONFERENCES}
Harm = Callable[[Database], Awaitable[Any]]
_dump: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
SECRET: Final = "nobody should read this"


def simulated() -> list[Record]:
    return [record._replace(offset=place) for place, record in enumerate(simulate(15, 2, 3, TOPICS))]


async def filled(database: Database, batches: int) -> Database:
    """Archive two simulated hours in so many batches."""
    await prepare(database)
    await MongoPartners(database, SystemClock(), SIGNER).put(PARTNER)
    store = MongoStore(database, ManualClock(), SIGNER)
    decoded = decode_all(simulated(), STREAMS, record_bytes_max=1 << 20)
    size = len(decoded) // batches + 1
    for start in range(0, len(decoded), size):
        part = decoded[start : start + size]
        known = await store.load({event.data.conversation for _, event in part if not isinstance(event, Exception)})
        await store.commit(GRANT, fold(Checkpoint(LANE, start), part, known, {}))
    return database


@pytest.fixture
async def archives(stack: Any, database: str) -> AsyncIterator[tuple[Database, Database]]:
    """The same records, archived in one batch and in five."""
    opened = connect(stack.mongodb_uri, database)
    other = opened.client.get_database(f"{database}_b", read_concern=MAJORITY, write_concern=JOURNALED)
    yield await filled(opened, 1), await filled(other, 5)
    await opened.client.drop_database(other.name)
    opened.client.close()


async def found(one: Database, two: Database) -> list[dict[str, Any]]:
    return [difference.document() async for difference in differences(MongoReader(one), MongoReader(two))]


async def _lose_mailbox(database: Database) -> None:
    mailbox = await database["items"].find_one({}, sort=[("mailbox", 1)])
    assert mailbox is not None
    await database["mailboxes"].delete_one({"_id": mailbox["mailbox"]})


async def _rename_mailbox(database: Database) -> None:
    await database["mailboxes"].update_one({}, {"$set": {"named.name": SECRET}})


async def _lose_item(database: Database) -> None:
    await database["items"].delete_one({})


async def _change_subject(database: Database) -> None:
    await database["items"].update_one({}, {"$set": {"subject": SECRET}})


async def _move_start(database: Database) -> None:
    first = await database["items"].find_one({}, sort=[("started", -1)])
    assert first is not None
    moved = {"started": None, "started_at": None}
    await database["items"].update_one({"_id": first["_id"]}, {"$set": moved})


async def _segment(database: Database, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Change the events of the first segment that has three of a kind with text."""
    async for segment in database["segments"].find(sort=[("_id", 1)]):
        events = [json.loads(line) for line in segment["events"].split("\n") if line]
        if sum("text" in event["data"] for event in events) >= 3:
            text = "".join(
                json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n" for event in change(events)
            )
            await database["segments"].update_one({"_id": segment["_id"]}, {"$set": {"events": text}})
            return
    raise AssertionError("no such segment")


def _messages(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if "text" in event["data"]]


def _reworded(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    _messages(events)[1]["data"]["text"] = SECRET
    return events


def _later(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    _messages(events)[1]["at"] = "2030-01-01T00:00:00Z"
    return events


def _without(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    events.remove(_messages(events)[1])
    return events


def _twice(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    events.insert(events.index(_messages(events)[1]), _messages(events)[1])
    return events


HARMS: Final[list[tuple[Harm, set[tuple[str, str, str | None]]]]] = [
    (_lose_mailbox, {("mailbox", "missing-in-b", None), ("item", "missing-in-b", None)}),
    (_rename_mailbox, {("mailbox", "attribute", "name")}),
    (_lose_item, {("item", "missing-in-b", None)}),
    (_change_subject, {("item", "attribute", "subject")}),
    (_move_start, {("item", "attribute", "started_at")}),
    (lambda database: _segment(database, _reworded), {("entry", "text", "text")}),
    (lambda database: _segment(database, _later), {("entry", "attribute", "at")}),
    (lambda database: _segment(database, _without), {("entry", "missing-in-b", None)}),
    (lambda database: _segment(database, _twice), {("entry", "repeated-in-b", None)}),
    (lambda database: _segment(database, lambda events: events[::-1]), {("entry", "order-in-b", None)}),
]


async def test_equal_archives(archives: tuple[Database, Database]) -> None:
    """Batches do not show: no difference, and one digest with its counts."""
    one, two = archives
    assert await found(one, two) == []
    first = await digest(MongoReader(one))
    assert first == await digest(MongoReader(two))
    assert first.entries > first.items > first.mailboxes > 5


@pytest.mark.parametrize(("harm", "named"), HARMS)
async def test_each_harm_is_named(
    archives: tuple[Database, Database], harm: Harm, named: set[tuple[str, str, str | None]]
) -> None:
    """The difference says what it is and where, the other way round with A and B exchanged, and the digests differ."""
    one, two = archives
    await harm(two)
    documents = await found(one, two)
    assert {(d["level"], d["what"], d.get("attribute")) for d in documents} == named
    assert await digest(MongoReader(one)) != await digest(MongoReader(two))
    assert SECRET not in json.dumps(documents)
    for document in documents:
        assert document["mailbox"].startswith("sip:")
        assert (document["level"] == "mailbox") == ("item" not in document)
        assert (document["level"] == "entry") == ("sequence" in document)
    swapped = {"a": "b", "b": "a"}
    expected = Counter(
        (d["what"][:-1] + swapped[d["what"][-1]]) if "-in-" in d["what"] else d["what"] for d in documents
    )
    assert Counter(d["what"] for d in await found(two, one)) == expected


async def test_what_a_recording_does_not_have_is_leaked(archives: tuple[Database, Database]) -> None:
    """A recording is found whole in an archive of more than it; whoever asks for nothing else is told what is more."""
    reader = MongoReader(archives[0])
    expectation = expect(simulated(), STREAMS, record_bytes_max=1 << 20)
    found: list[Difference] = []
    verdict = await compare(expectation, reader, found.append)
    found += [difference async for difference in beyond(expectation, reader)]
    assert (verdict.holds, found) == (True, [])
    name, _ = expectation.histories.popitem()
    verdict = await compare(expectation, reader, found.append)
    assert verdict.holds
    found += [difference async for difference in beyond(expectation, reader)]
    owners = (await reader.owners([name]))[name]
    assert sorted(one[:3] for one in found) == sorted(("leaked", item.mailbox, name) for item in owners)
    assert sum(one.pairs for one in found) > 0
