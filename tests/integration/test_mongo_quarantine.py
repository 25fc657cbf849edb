"""The MongoDB quarantine keeps its contract, on a real server."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from consumers.mongo.layout import Database, prepare
from consumers.mongo.partners import MongoPartners
from consumers.mongo.quarantine import MongoQuarantine
from consumers.mongo.store import JOURNALED, MAJORITY, connect
from tests.contract.quarantine_contract import Kept, QuarantineContract
from tests.integration.test_mongo_store import MongoStored
from tests.support.clock import ManualClock
from tests.support.trust import PARTNER


@pytest.fixture(scope="module")
async def opened(stack: Any) -> AsyncIterator[Database]:
    opened = connect(stack.mongodb_uri, "unused")
    yield opened
    opened.client.close()


class TestMongoQuarantine(QuarantineContract):
    """The contract, on a replica set."""

    @pytest.fixture
    async def kept(self, opened: Database, database: str) -> Kept:
        own: Database = opened.client.get_database(database, read_concern=MAJORITY, write_concern=JOURNALED)
        await prepare(own)
        partners = MongoPartners(own)
        await partners.put(PARTNER)
        clock = ManualClock()
        return Kept(MongoQuarantine(own, clock), MongoStored(own), partners, clock)
