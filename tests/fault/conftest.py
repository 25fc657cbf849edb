"""The program on the session's servers, with topics of the test's own."""

from pathlib import Path

import pytest

from producers.topics import Topics
from tests.conftest import StackAddresses
from tests.support.program import Program


@pytest.fixture
def program(stack: StackAddresses, topics: Topics, database: str, tmp_path: Path) -> Program:
    """The program with an empty archive, in an empty folder."""
    return Program(stack.bootstrap, stack.mongodb_uri, topics, tmp_path, database)
