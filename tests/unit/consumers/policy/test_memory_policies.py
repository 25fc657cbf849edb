"""The memory policies keep the contract."""

import pytest

from consumers.memory_store import MemoryStore
from consumers.policy.memory_policies import MemoryPolicies
from tests.contract.policy_contract import Governed, PolicyContract
from tests.support.clock import ManualClock
from tests.support.trust import trusting


class TestMemoryPolicies(PolicyContract):
    """The contract, in memory."""

    @pytest.fixture
    async def governed(self) -> Governed:
        clock, partners = ManualClock(), trusting()
        store = MemoryStore(clock, partners)
        policies = MemoryPolicies(
            clock,
            partners,
            lambda: max((point.watermark for point in store.checkpoints().values() if point.watermark), default=None),
        )
        return Governed(policies, store, partners)
