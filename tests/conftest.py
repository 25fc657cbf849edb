"""What tests share: a real Kafka and a real mongod, topics and a database of each test's own, the recorded data.

`LYNC_ARCHIVER_TEST_BOOTSTRAP` and `LYNC_ARCHIVER_TEST_MONGODB` point the tests at servers that run already; without
both, one local stack is started for the session. `LYNC_ARCHIVER_RECORDED` names the folder of recorded data.
"""
# ruff: noqa: TID251  the tests' own settings

import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from pymongo import AsyncMongoClient

from deploy.stack.local import local_stack
from deploy.stack.topics import delete_topics, ensure_topics
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.errors import LyncArchiverError

PROJECT: Final = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class StackAddresses:
    """Where the servers of this session are."""

    bootstrap: str
    mongodb_uri: str


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StackAddresses]:
    """Real servers for the whole session; without them tests fail in CI and are skipped elsewhere."""
    bootstrap = os.environ.get("LYNC_ARCHIVER_TEST_BOOTSTRAP")
    mongodb_uri = os.environ.get("LYNC_ARCHIVER_TEST_MONGODB")
    if bootstrap and mongodb_uri:
        yield StackAddresses(bootstrap, mongodb_uri)
        return
    running = local_stack(tmp_path_factory.mktemp("stack"))
    try:
        started = await running.__aenter__()
    except LyncArchiverError as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no local stack: {exc}")
    try:
        yield StackAddresses(started.bootstrap, started.mongodb_uri)
    finally:
        await running.__aexit__(None, None, None)


@pytest.fixture
async def topics(stack: StackAddresses) -> AsyncIterator[Topics]:
    """Three topics of the test's own."""
    mark = uuid.uuid4().hex[:12]
    own = Topics(f"test-{mark}.conversations", f"test-{mark}.conferences", f"test-{mark}.contacts")
    await ensure_topics(stack.bootstrap, own, SystemClock())
    yield own
    await delete_topics(stack.bootstrap, own)


@pytest.fixture
async def database(stack: StackAddresses) -> AsyncIterator[str]:
    """The name of a database of the test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield name
    async with AsyncMongoClient[dict[str, Any]](stack.mongodb_uri) as client:
        await client.drop_database(name)


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded data; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("LYNC_ARCHIVER_RECORDED") or PROJECT / "../shared/recorded").resolve()
    if not folder.is_dir():
        pytest.skip(f"no recorded data in {folder}; LYNC_ARCHIVER_RECORDED names its folder")
    return folder
