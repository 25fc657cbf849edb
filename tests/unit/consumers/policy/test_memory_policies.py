"""The memory policies keep the contract."""

import pytest

from consumers.memory_store import MemoryStore
from tests.contract.policy_contract import Governed, PolicyContract
from tests.support.clock import ManualClock
from tests.support.trust import trusting
from tests.unit.consumers.test_memory_store import MemoryStored


class TestMemoryPolicies(PolicyContract):
    """The contract, in memory."""

    @pytest.fixture
    async def governed(self) -> Governed:
        clock, partners = ManualClock(), trusting()
        store = MemoryStore(clock, partners)
        return Governed(store.policies, store, partners, store, MemoryStored(store))
