"""The program on servers whose Kafka asks for no token, with topics of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from producers.topics import Topics
from tests.conftest import StackAddresses, running_stack
from tests.support.program import Program


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StackAddresses]:
    """Servers without an issuer: the program's processes have no tokens."""
    async for addresses in running_stack(tmp_path_factory.mktemp("open-stack"), None):
        yield addresses


@pytest.fixture
def program(stack: StackAddresses, topics: Topics, database: str, tmp_path: Path) -> Program:
    """The program with an empty archive, in an empty folder."""
    return Program(stack.bootstrap, stack.mongodb_uri, topics, tmp_path, database)
