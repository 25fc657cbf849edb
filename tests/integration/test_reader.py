"""The reading side on a real server: pages, and that every query of store and reader is answered by an index."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from consumers.batch import Checkpoint, LaneId
from consumers.decoding import decode_all
from consumers.fold import fold
from consumers.folder import FolderId
from consumers.mongo.layout import Database
from consumers.mongo.reader import MongoReader
from consumers.mongo.store import MongoStore
from consumers.quarantine import State
from consumers.reading import ListedItem, QuarantineQuery
from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.catalogue import Stream
from schemas.errors import Cause
from schemas.record import Record
from tests.support.audit import SIGNER
from tests.support.clock import START, ManualClock
from tests.support.trust import GRANT

TOPICS = Topics()
LANE = LaneId(TOPICS.conversations, 0)
STREAMS = {TOPICS.conversations: Stream.CONVERSATIONS, TOPICS.conferences: Stream.CONFERENCES}


@pytest.fixture
async def archive(own: Database) -> Database:
    """An archive of an hour, and a record in quarantine."""
    store = MongoStore(own, ManualClock(), SIGNER)
    bad = Record(TOPICS.conversations, 0, 0, 0, b"k", (), b"no event")
    records = [*simulate(30, 2, 3, TOPICS), bad]
    decoded = decode_all(
        [record._replace(offset=place) for place, record in enumerate(records)], STREAMS, record_bytes_max=1 << 20
    )
    half = len(decoded) // 2
    first = fold(Checkpoint(LANE, 0), decoded[:half], {}, {})
    await store.commit(GRANT, first)
    known = await store.load({conversation.id for conversation in first.conversations})
    await store.commit(GRANT, fold(Checkpoint(LANE, half), decoded[half:], known, {}))
    return own


async def test_pages_cover_a_mailbox_once_and_in_order(archive: Database) -> None:
    """Pages of two items, one after the other, are all items of the mailbox by start and id; so of one folder."""
    reader = MongoReader(archive)
    user = max([mailbox async for mailbox in reader.mailboxes()], key=lambda mailbox: mailbox.items).user
    everything = [listed async for listed in reader.all_items(user)]
    assert len(everything) > 5
    assert await _paged(reader, user, None) == [listed.item.id for listed in everything]
    assert [listed.item.id for listed in everything] == [
        listed.item.id for listed in sorted(everything, key=lambda one: (one.item.started_at or "", one.item.id))
    ]
    for folder in await reader.folders(user):
        of_folder = [listed.item.id for listed in everything if listed.item.folder is folder.id]
        assert await _paged(reader, user, folder.id) == of_folder
        assert folder.items == len(of_folder)


async def _paged(reader: MongoReader, user: str, folder: FolderId | None) -> list[str]:
    found: list[str] = []
    page: Sequence[ListedItem] = await reader.items(user, folder, None, 2)
    while page:
        found += [listed.item.id for listed in page]
        page = await reader.items(user, folder, found[-1], 2)
    return found


async def test_every_query_is_answered_by_an_index(archive: Database) -> None:
    """What the server itself notes of each query: no plan reads a whole collection, or sorts in memory."""
    await archive.command("profile", 2)
    await _ask_everything(archive)
    await archive.command("profile", 0)
    plans = [
        (entry["ns"].partition(".")[2], entry.get("planSummary", ""), entry.get("hasSortStage", False))
        async for entry in archive["system.profile"].find({"planSummary": {"$exists": True}})
    ]
    assert {name for name, _, _ in plans} >= {
        "items",
        "conversations",
        "segments",
        "mailboxes",
        "checkpoints",
        "quarantine",
    }
    assert [plan for plan in plans if "COLLSCAN" in plan[1] or plan[2]] == []


async def _ask_everything(archive: Database) -> None:
    store, reader = MongoStore(archive, ManualClock(), SIGNER), MongoReader(archive)
    mailboxes = [mailbox async for mailbox in reader.mailboxes()]
    user = mailboxes[0].user
    await reader.folders(user)
    page = await reader.items(user, None, None, 10)
    await reader.items(user, FolderId.CONVERSATION_HISTORY, page[0].item.id, 10)
    listed = await reader.item(user, page[0].item.id)
    assert [one async for one in reader.all_items(user)]
    assert set(await reader.items_among(user, [listed.item.id, "another"])) == {listed.item.id}
    assert [event async for event in reader.events(listed.conversation.id)]
    await reader.owners([listed.conversation.id])
    await reader.conversations([listed.conversation.id])
    await reader.checkpoints()
    entries = [entry async for entry in reader.quarantine(QuarantineQuery())]
    for query in (
        QuarantineQuery(Cause.MALFORMED_HEADERS),
        QuarantineQuery(state=None),
        QuarantineQuery(since=START, until=START + timedelta(days=1)),
    ):
        assert [entry async for entry in reader.quarantine(query)] == entries
    assert [entry async for entry in reader.quarantine(QuarantineQuery(state=State.REDRIVEN))] == []
    await reader.quarantined(entries[0].id)
    await reader.quarantined_fingerprints([b"x" * 32])
    await store.checkpoint(LANE)
    await store.load([listed.conversation.id])
    await store.recall([(listed.conversation.id, 1)])
