"""The program on the session's servers, with topics and an archive of the test's own that trusts the issuer."""

from pathlib import Path

import pytest

from producers.topics import Topics
from tests.conftest import StackAddresses
from tests.support.program import Program


@pytest.fixture
def program(stack: StackAddresses, topics: Topics, database: str, tmp_path: Path) -> Program:
    """The program with an empty archive, in an empty folder."""
    program = Program(stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.issuer_folder, topics, tmp_path, database)
    program.trust_issuer()
    return program
