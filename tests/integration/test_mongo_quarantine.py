"""The MongoDB quarantine keeps its contract, on a real server."""

import asyncio

import pytest
from motor.motor_asyncio import AsyncIOMotorClientSession

from consumers.grant import Grant, GrantRefused
from consumers.mongo.layout import Database
from consumers.mongo.partners import MongoPartners
from consumers.mongo.policies import MongoPolicies
from consumers.mongo.quarantine import MongoQuarantine
from schemas.clock import SystemClock
from tests.builders import CONVERSATIONS
from tests.contract.quarantine_contract import Kept, QuarantineContract, entry_at, gap, redrive_of
from tests.integration.test_mongo_store import MongoStored
from tests.support.audit import SIGNER
from tests.support.clock import ManualClock
from tests.support.trust import GRANT


class Distrusted(MongoQuarantine):
    """The partner is disabled once, after the transaction's snapshot and before the transaction writes anything."""

    distrusted = False

    async def _check_trust(self, grant: Grant, session: AsyncIOMotorClientSession) -> None:
        await super()._check_trust(grant, session)
        if not self.distrusted:
            self.distrusted = True
            await MongoPartners(self._database, SystemClock(), SIGNER).switch(grant.principal, enabled=False)


class TestMongoQuarantine(QuarantineContract):
    """The contract, on a replica set."""

    @pytest.fixture
    async def kept(self, own: Database) -> Kept:
        partners = MongoPartners(own, SystemClock(), SIGNER)
        clock = ManualClock()
        policies = MongoPolicies(own, clock, SIGNER)
        return Kept(MongoQuarantine(own, clock, SIGNER), MongoStored(own), partners, clock, policies)

    @pytest.mark.parametrize("discarding", [False, True])
    async def test_a_change_of_trust_holds_against_what_is_under_way(
        self, own: Database, kept: Kept, discarding: bool
    ) -> None:
        """A transaction that still sees the partner as it was meets the change, begins anew, and is refused."""
        records = await gap(kept)
        redrive = await redrive_of(kept, {1: records[1]})
        store = Distrusted(own, kept.clock, SIGNER)
        write = store.discard(GRANT, [f"{CONVERSATIONS}/1"], "why") if discarding else store.redrive(GRANT, redrive)
        task = asyncio.ensure_future(write)
        await kept.clock.advance_through(task)
        with pytest.raises(GrantRefused, match="is disabled"):
            await task
        assert store.distrusted
        assert (await entry_at(kept, 1)) == redrive.results[0].entry
