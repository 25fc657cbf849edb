"""The memory retention store keeps the contract."""

import pytest

from consumers.memory_retention import MemoryRetention
from tests.contract.retention_contract import Retained, RetentionContract
from tests.support.clock import ManualClock
from tests.support.trust import trusting
from tests.unit.consumers.test_memory_store import MemoryStored


class TestMemoryRetention(RetentionContract):
    """The contract, in memory."""

    @pytest.fixture
    async def retained(self) -> Retained:
        clock, partners = ManualClock(), trusting()
        store = MemoryRetention(clock, partners)
        return Retained(store, store, store.policies, partners, store, MemoryStored(store), clock)
