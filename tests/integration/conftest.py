"""What integration tests share: one client of the real mongod, and an archive of each test's own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from consumers.mongo.layout import Database, prepare
from consumers.mongo.partners import MongoPartners
from consumers.mongo.store import MAJORITY, connect
from consumers.mongo.transaction import JOURNALED
from schemas.clock import SystemClock
from tests.support.audit import SIGNER
from tests.support.trust import PARTNER


@pytest.fixture(scope="package")
async def opened(stack: Any) -> AsyncIterator[Database]:
    """One client for all: PyMongo's monitor may open a socket while its client closes, and nobody closes that one."""
    opened = connect(stack.mongodb_uri, "unused")
    yield opened
    opened.client.close()


@pytest.fixture
async def own(opened: Database, database: str) -> Database:
    """An empty archive that trusts the tests' partner application."""
    own: Database = opened.client.get_database(database, read_concern=MAJORITY, write_concern=JOURNALED)
    await prepare(own)
    await MongoPartners(own, SystemClock(), SIGNER).put(PARTNER)
    return own
