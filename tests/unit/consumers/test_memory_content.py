"""The memory content store keeps its contract."""

from collections.abc import Sequence

import pytest

from consumers.content import Attachment
from consumers.memory_content import MemoryContent
from consumers.memory_quarantine import MemoryQuarantine
from tests.contract.content_contract import ITEM_BYTES_MAX, ContentContract, Filed
from tests.support.clock import ManualClock
from tests.support.trust import trusting


class TestMemoryContent(ContentContract):
    """The contract, in memory."""

    @pytest.fixture
    async def filed(self) -> Filed:
        clock = ManualClock()
        contents = MemoryContent(clock, ITEM_BYTES_MAX)
        store = MemoryQuarantine(clock, trusting(), contents)

        async def put(data: bytes, sha256: str | None = None) -> None:
            contents.put(data, sha256)

        async def attached() -> Sequence[Attachment]:
            return store.attachments()

        return Filed(store, contents, put, attached, clock)
