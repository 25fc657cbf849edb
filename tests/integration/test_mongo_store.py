"""The MongoDB store keeps the store's contract, on a real server."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from consumers.item import Item
from consumers.mongo import documents
from consumers.mongo.layout import ITEMS, MAILBOXES, QUARANTINE, SEGMENTS, Database, prepare
from consumers.mongo.partners import MongoPartners
from consumers.mongo.store import JOURNALED, MAJORITY, MongoStore, connect
from schemas.envelope import Event
from schemas.errors import Cause
from schemas.record import Record
from tests.contract.partner_contract import PartnerContract, Trusted
from tests.contract.store_contract import StoreContract, Subject
from tests.support.clock import ManualClock
from tests.support.trust import PARTNER


class MongoStored:
    """Reads documents as they are, not through the reader that is tested elsewhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def items(self, mailbox: str) -> Sequence[Item]:
        return [documents.item_of(found) for found in await self._all(ITEMS, {"mailbox": mailbox}, "conversation")]

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


@pytest.fixture(scope="module")
async def opened(stack: Any) -> AsyncIterator[Database]:
    # One client for all: PyMongo's monitor may open a socket while its client closes, and nobody closes that one.
    opened = connect(stack.mongodb_uri, "unused")
    yield opened
    opened.client.close()


class TestMongoStore(StoreContract):
    """The contract, on a replica set."""

    @pytest.fixture
    async def subject(self, opened: Database, database: str) -> Subject:
        own: Database = opened.client.get_database(database, read_concern=MAJORITY, write_concern=JOURNALED)
        await prepare(own)
        await MongoPartners(own).put(PARTNER)
        clock = ManualClock()
        return Subject(MongoStore(own, clock), MongoStored(own), clock)


class TestMongoPartners(PartnerContract):
    """The contract, on a replica set."""

    @pytest.fixture
    async def trusted(self, opened: Database, database: str) -> Trusted:
        own: Database = opened.client.get_database(database, read_concern=MAJORITY, write_concern=JOURNALED)
        await prepare(own)
        return Trusted(MongoStore(own, ManualClock()), MongoStored(own), MongoPartners(own))
