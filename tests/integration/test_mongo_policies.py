"""The MongoDB policies keep the contract, on a real server, and get in between lanes that never pause."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from consumers.mongo.layout import Database, prepare
from consumers.mongo.partners import MongoPartners
from consumers.mongo.policies import MongoPolicies
from consumers.mongo.store import JOURNALED, MAJORITY, MongoStore, connect
from consumers.ports import ArchiveStore
from schemas.clock import SystemClock
from schemas.errors import DependencyUnavailable
from schemas.events import EventData
from tests.builders import CONVERSATIONS, history, message, started
from tests.contract.policy_contract import VALUES, Governed, PolicyContract
from tests.contract.store_contract import batch_of
from tests.support.clock import START, ManualClock
from tests.support.trust import GRANT, PARTNER


@pytest.fixture(scope="module")
async def opened(stack: Any) -> AsyncIterator[Database]:
    opened = connect(stack.mongodb_uri, "unused")
    yield opened
    opened.client.close()


class TestMongoPolicies(PolicyContract):
    """The contract, on a replica set."""

    @pytest.fixture
    async def governed(self, opened: Database, database: str) -> Governed:
        own: Database = opened.client.get_database(database, read_concern=MAJORITY, write_concern=JOURNALED)
        await prepare(own)
        partners = MongoPartners(own)
        await partners.put(PARTNER)
        clock = ManualClock()
        return Governed(MongoPolicies(own, clock), MongoStore(own, clock), partners)

    async def test_a_change_gets_in_between_commits_without_a_pause(self, opened: Database, database: str) -> None:
        """Lanes that commit all the time, and lanes that begin, hold no change up, and go on after it."""
        own: Database = opened.client.get_database(database, read_concern=MAJORITY, write_concern=JOURNALED)
        await prepare(own)
        await MongoPartners(own).put(PARTNER)
        clock = SystemClock()
        stop = asyncio.Event()
        lanes = [asyncio.create_task(_committing(MongoStore(own, clock), lane, stop)) for lane in range(4)]
        for day in range(5):
            async with asyncio.timeout(60):
                await MongoPolicies(own, clock).change(GRANT, VALUES, START + timedelta(days=1000 + day))
        stop.set()
        assert all(count > 0 for count in await asyncio.gather(*lanes))
        assert len(await MongoPolicies(own, clock).history()) == 5 * len(VALUES)


async def _committing(store: ArchiveStore, number: int, stop: asyncio.Event) -> int:
    """Commit one message after another until told to stop; return how many."""
    lane = CONVERSATIONS._replace(partition=number)
    records: list[EventData] = [started(conversation=f"c{number}")]
    count = 0
    while not stop.is_set():
        records.append(message(conversation=f"c{number}"))
        batch = await batch_of(store, history(*records)[count : count + 1], lane)
        try:
            await store.commit(GRANT, batch)
            count += 1
        except DependencyUnavailable:
            await asyncio.wait([asyncio.ensure_future(stop.wait())], timeout=0.05)
    return count
