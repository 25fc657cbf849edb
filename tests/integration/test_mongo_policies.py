"""The MongoDB policies keep the contract, on a real server, and get in between lanes that never pause."""

import asyncio
from datetime import timedelta

import pytest

from consumers.mongo.layout import Database
from consumers.mongo.mailboxes import MongoMailboxes
from consumers.mongo.partners import MongoPartners
from consumers.mongo.policies import MongoPolicies
from consumers.mongo.store import MongoStore
from consumers.policy.governing import Governing
from consumers.ports import ArchiveStore, Stale
from schemas.clock import SystemClock
from schemas.errors import DependencyUnavailable
from schemas.events import EventData
from tests.builders import CONVERSATIONS, history, message, started
from tests.contract.policy_contract import VALUES, Governed, PolicyContract
from tests.contract.store_contract import batch_of
from tests.integration.test_mongo_store import MongoStored
from tests.support.audit import SIGNER
from tests.support.clock import START, ManualClock
from tests.support.trust import GRANT
from tests.support.waiting import await_until


class TestMongoPolicies(PolicyContract):
    """The contract, on a replica set."""

    @pytest.fixture
    async def governed(self, own: Database) -> Governed:
        partners = MongoPartners(own, SystemClock(), SIGNER)
        clock = ManualClock()
        return Governed(
            MongoPolicies(own, clock, SIGNER),
            MongoStore(own, clock, SIGNER),
            partners,
            MongoMailboxes(own, clock, SIGNER),
            MongoStored(own),
        )

    async def test_a_change_gets_in_between_commits_without_a_pause(self, own: Database) -> None:
        """Lanes that commit all the time, and lanes that begin, hold no change up, and go on after it."""
        clock = SystemClock()
        counts, stop = dict.fromkeys(range(4), 0), asyncio.Event()
        lanes = [
            asyncio.create_task(_committing(MongoStore(own, clock, SIGNER), lane, counts, stop)) for lane in counts
        ]
        for day in range(3):
            seen = dict(counts)
            async with asyncio.timeout(60):
                await MongoPolicies(own, clock, SIGNER).change(GRANT, VALUES, START + timedelta(days=1000 + day))
            await await_until(lambda seen=seen: all(counts[lane] > seen[lane] for lane in counts), 60)  # type: ignore[misc]
        stop.set()
        await asyncio.gather(*lanes)


async def _committing(store: ArchiveStore, number: int, counts: dict[int, int], stop: asyncio.Event) -> None:
    """Commit one message after another until told to stop, and count them."""
    lane = CONVERSATIONS._replace(partition=number)
    records: list[EventData] = [started(conversation=f"c{number}")]
    governing = Governing(store)
    while not stop.is_set():
        records.append(message(conversation=f"c{number}"))
        await governing.refresh()
        done = counts[number]
        batch = await batch_of(store, history(*records)[done : done + 1], lane, governing.current)
        try:
            await store.commit(GRANT, batch)
            counts[number] += 1
        except (DependencyUnavailable, Stale):
            await asyncio.wait([asyncio.ensure_future(stop.wait())], timeout=0.05)
