"""The memory store keeps the store's contract."""

from collections.abc import Sequence

import pytest

from consumers.item import Item
from consumers.memory_store import MemoryStore
from consumers.tokens.memory_partners import MemoryPartners
from schemas.envelope import Event
from schemas.errors import Cause
from schemas.record import Record
from tests.contract.lane_contract import LaneContract, Lanes
from tests.contract.partner_contract import PartnerContract, Trusted
from tests.contract.store_contract import StoreContract, Subject
from tests.support.clock import ManualClock
from tests.support.trust import trusting


class MemoryStored:
    """Reads a memory store."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def items(self, mailbox: str) -> Sequence[Item]:
        return self._store.items(mailbox)

    async def events(self, conversation: str) -> Sequence[Event]:
        return self._store.events(conversation)

    async def quarantined(self) -> Sequence[tuple[Record, Cause, str]]:
        return [(entry.record, entry.cause, entry.detail) for entry in self._store.quarantine()]

    async def names(self) -> dict[str, str]:
        return {mailbox: named[2] for mailbox, named in self._store.mailboxes().items()}


class TestMemoryStore(StoreContract):
    """The contract, on a memory store."""

    @pytest.fixture
    async def subject(self) -> Subject:
        clock = ManualClock()
        store = MemoryStore(clock, trusting())
        return Subject(store, MemoryStored(store), clock)


class TestMemoryPartners(PartnerContract):
    """The contract, in memory."""

    @pytest.fixture
    async def trusted(self) -> Trusted:
        partners = MemoryPartners()
        store = MemoryStore(ManualClock(), partners)
        return Trusted(store, MemoryStored(store), partners)


class TestMemoryLanes(LaneContract):
    """The contract of orders, in memory."""

    @pytest.fixture
    async def lanes(self) -> Lanes:
        clock = ManualClock()
        return Lanes(MemoryStore(clock, trusting()), clock)
