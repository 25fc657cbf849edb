"""The memory quarantine keeps both contracts."""

import pytest

from consumers.memory_quarantine import MemoryQuarantine
from tests.contract.quarantine_contract import Kept, QuarantineContract
from tests.contract.store_contract import StoreContract, Subject
from tests.support.clock import ManualClock
from tests.support.trust import trusting
from tests.unit.consumers.test_memory_store import MemoryStored


class TestMemoryQuarantine(QuarantineContract):
    """The quarantine's contract, in memory."""

    @pytest.fixture
    async def kept(self) -> Kept:
        clock, partners = ManualClock(), trusting()
        store = MemoryQuarantine(clock, partners)
        return Kept(store, MemoryStored(store), partners, clock, store.policies)


class TestMemoryQuarantineAsStore(StoreContract):
    """The archive's contract, on a store that has the quarantine too."""

    @pytest.fixture
    async def subject(self) -> Subject:
        clock = ManualClock()
        store = MemoryQuarantine(clock, trusting())
        return Subject(store, MemoryStored(store), clock)
