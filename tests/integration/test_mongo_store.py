"""The MongoDB store keeps the store's contract, on a real server."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from consumers.copy import Copy
from consumers.grant import GrantRefused
from consumers.item import Item
from consumers.mongo import documents
from consumers.mongo.copies import copy_of
from consumers.mongo.lanes import MongoLanes
from consumers.mongo.layout import (
    CHECKPOINTS,
    FENCES,
    ITEMS,
    JOURNAL,
    MAILBOXES,
    PURGES,
    QUARANTINE,
    SEGMENTS,
    Database,
    prepare,
)
from consumers.mongo.partners import MongoPartners
from consumers.mongo.store import MAJORITY, MongoStore
from consumers.mongo.transaction import CONFLICT_TRIES, JOURNALED
from schemas.clock import SystemClock
from schemas.envelope import Event
from schemas.errors import Cause, DependencyUnavailable
from schemas.record import Record
from tests.builders import CONVERSATIONS, history, started
from tests.contract.lane_contract import LaneContract, Lanes
from tests.contract.partner_contract import PartnerContract, Trusted
from tests.contract.store_contract import TALK, StoreContract, Subject, batch_of
from tests.support.audit import SIGNER
from tests.support.clock import ManualClock
from tests.support.trust import GRANT


class MongoStored:
    """Reads documents as they are, not through the reader that is tested elsewhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def items(self, mailbox: str) -> Sequence[Item]:
        shown = {"mailbox": mailbox, "deleted": None}
        return [documents.item_of(found) for found in await self._all(ITEMS, shown, "conversation")]

    async def copies(self) -> Sequence[Copy]:
        found = [copy_of(document) for document in await self._all(PURGES, {}, "_id")]
        return sorted(found, key=lambda copy: (copy.item.mailbox, copy.item.conversation))

    async def events(self, conversation: str) -> Sequence[Event]:
        segments = await self._all(SEGMENTS, {"_id.conversation": conversation}, "_id.first")
        return [event for found in segments for event in documents.segment_of(found).events]

    async def quarantined(self) -> Sequence[tuple[Record, Cause, str]]:
        entries = [documents.quarantined_of(found) for found in await self._all(QUARANTINE, {}, "offset")]
        return [(entry.record, entry.cause, entry.detail) for entry in entries]

    async def names(self) -> dict[str, str]:
        return {found["_id"]: found["named"]["name"] for found in await self._all(MAILBOXES, {}, "_id")}

    async def _all(self, collection: str, query: dict[str, Any], order: str) -> list[dict[str, Any]]:
        return await self._database[collection].find(query).sort(order, 1).to_list(None)


class TestMongoStore(StoreContract):
    """The contract, on a replica set."""

    @pytest.fixture
    async def subject(self, own: Database) -> Subject:
        clock = ManualClock()
        return Subject(MongoStore(own, clock, SIGNER), MongoStored(own), clock)


class TestMongoPartners(PartnerContract):
    """The contract, on a replica set."""

    @pytest.fixture
    async def trusted(self, opened: Database, database: str) -> Trusted:
        own: Database = opened.client.get_database(database, read_concern=MAJORITY, write_concern=JOURNALED)
        await prepare(own)
        return Trusted(
            MongoStore(own, ManualClock(), SIGNER), MongoStored(own), MongoPartners(own, SystemClock(), SIGNER)
        )


class TestMongoLanes(LaneContract):
    """The contract of orders, on a replica set."""

    @pytest.fixture
    async def lanes(self, own: Database) -> Lanes:
        clock = ManualClock()
        return Lanes(MongoLanes(own, clock, SIGNER), clock)


async def test_a_lane_that_begins_conflicts_with_a_change_of_trust(own: Database) -> None:
    """A first commit meets whoever touches its lane's fence: it waits, ever longer, before it leaves it to the lane."""
    await own[FENCES].insert_one({"_id": str(CONVERSATIONS), "trust": 0})
    clock = ManualClock()
    store = MongoStore(own, clock, SIGNER)
    pauses: list[float] = []
    async with await own.client.start_session() as session, session.start_transaction():
        await own[FENCES].update_many({}, {"$inc": {"trust": 1}}, session=session)
        commit = asyncio.ensure_future(store.commit(GRANT, await batch_of(store, history(*TALK))))
        while len(pauses) < CONFLICT_TRIES - 1:
            pauses.append(await clock.asleep())
            clock.advance(pauses[-1])
        with pytest.raises(DependencyUnavailable, match="MongoDB error 112"):
            await commit
    assert pauses == sorted(pauses)
    await store.commit(GRANT, await batch_of(store, history(*TALK)))


async def test_lanes_that_begin_do_not_stand_in_each_others_way(own: Database) -> None:
    """However many lanes make their first commits at once, none meets another: nobody has to wait."""
    store = MongoStore(own, ManualClock(), SIGNER)  # which would stand still for whoever waits
    lanes = [CONVERSATIONS._replace(partition=number) for number in range(8)]
    batches = [await batch_of(store, history(*(started(conversation=f"c{lane.partition}"),)), lane) for lane in lanes]
    async with asyncio.timeout(30):
        await asyncio.gather(*(store.commit(GRANT, batch) for batch in batches))
    assert len(await store.load([f"c{lane.partition}" for lane in lanes])) == len(lanes)


async def test_a_grant_that_ends_while_its_commit_is_tried_again_writes_nothing(own: Database) -> None:
    """Each try asks anew whether the grant is alive, however long another's write stood in the way."""
    clock = ManualClock()
    store = MongoStore(own, clock, SIGNER)
    records = history(*TALK)
    await store.commit(GRANT, await batch_of(store, records[:2]))
    batch = await batch_of(store, records[2:])
    async with await own.client.start_session() as session:
        async with session.start_transaction():
            await own[CHECKPOINTS].update_one({}, {"$inc": {"trust": 1}}, session=session)
            commit = asyncio.ensure_future(store.commit(GRANT, batch))
            await clock.asleep()
        clock.advance((GRANT.expires_at - clock.now()).total_seconds())
    with pytest.raises(GrantRefused, match="expired"):
        await commit
    checkpoint = await store.checkpoint(CONVERSATIONS)
    assert checkpoint is not None
    assert checkpoint.next == batch.start


async def test_a_lane_that_comes_back_goes_on_from_what_another_wrote(own: Database) -> None:
    """A lane that was elsewhere for a while has a journal that went on there: no head of before is gone on from."""
    here, there = (MongoStore(own, SystemClock(), SIGNER) for _ in range(2))
    for store, record in zip((here, there, here), history(*TALK), strict=True):
        await store.commit(GRANT, await batch_of(store, [record]))
    entries = await own[JOURNAL].find({"_id.chain": str(CONVERSATIONS)}).sort("_id.number", 1).to_list(None)
    assert [entry["_id"]["number"] for entry in entries] == [1, 2, 3]
    assert [entry["previous"] for entry in entries[1:]] == [entry["hash"] for entry in entries[:2]]
