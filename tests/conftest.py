"""What tests share: a real Kafka and a real mongod, topics and a database of each test's own, the recorded data.

`LYNC_ARCHIVER_TEST_BOOTSTRAP`, `..._MONGODB`, `..._ISSUER` and `..._SECRETS` (the issuer's folder) point the tests at
servers that run already; without all four, one local stack is started for the session. `LYNC_ARCHIVER_RECORDED` names
the folder of recorded data.
"""
# ruff: noqa: TID251  the tests' own settings

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from pymongo import AsyncMongoClient

from deploy.stack.acls import Pattern, ensure_acls, ensure_health_acls
from deploy.stack.local import local_stack
from deploy.stack.topics import delete_topics, ensure_health_topic, ensure_topics
from deploy.token_client import IssuerClient, read_client_secret
from producers.tokens.clients import secret_file
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.errors import LyncArchiverError
from schemas.login import ADMIN, KafkaLogin
from tests.support.issuer import Issuer, real_issuer

PROJECT: Final = Path(__file__).parent.parent

collect_ignore = ["example_project"]  # a project of its own, which tests/integration/test_example_project.py runs

TEST_TOPICS: Final = "test-"
TEST_GROUPS: Final = "test"
"""What the names of tests' own topics and groups begin with, which producer and archiver may use."""

TEST_HEALTH: Final = "health-test-"
"""What the names of tests' own topics of reports of health begin with."""


@dataclass(frozen=True, slots=True)
class StackAddresses:
    """Where the servers of this session are, and the folder with the secrets of the issuer's clients."""

    bootstrap: str
    mongodb_uri: str
    issuer: str
    issuer_folder: Path
    data: Path | None = None

    def login(self, client: str) -> KafkaLogin:
        """Return the login of a client, with tokens of the real issuer."""
        secret = read_client_secret(secret_file(self.issuer_folder, client))
        return KafkaLogin(client, IssuerClient(self.issuer, client, secret, SystemClock()))


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StackAddresses]:
    """Real servers for the whole session; without them tests fail in CI and are skipped elsewhere."""
    given = [os.environ.get(f"LYNC_ARCHIVER_TEST_{name}") for name in ("BOOTSTRAP", "MONGODB", "ISSUER", "SECRETS")]
    if all(given):
        bootstrap, mongodb_uri, issuer, secrets = map(str, given)
        yield StackAddresses(bootstrap, mongodb_uri, issuer, Path(secrets))
        return
    running = local_stack(tmp_path_factory.mktemp("stack"))
    try:
        started = await running.__aenter__()
    except LyncArchiverError as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no local stack: {exc}")
    try:
        admin = started.login(ADMIN)
        await ensure_acls(started.bootstrap, admin, [TEST_TOPICS], TEST_GROUPS, Pattern.PREFIXED)
        await ensure_health_acls(started.bootstrap, admin, TEST_HEALTH, Pattern.PREFIXED)
        folder = started.data / "issuer"
        yield StackAddresses(started.bootstrap, started.mongodb_uri, started.issuer, folder, started.data)
    finally:
        await running.__aexit__(None, None, None)


@pytest.fixture
def issuer(stack: StackAddresses) -> Issuer:
    """The issuer that the session's Kafka trusts, as one that signs whatever a test asks it to."""
    if stack.data is None:
        pytest.skip("the keys of the issuer that is set are not a test's to use")
    return real_issuer(stack.issuer_folder, stack.issuer)


@pytest.fixture
async def topics(stack: StackAddresses) -> AsyncIterator[Topics]:
    """Three topics of the test's own."""
    async with own_topics(stack) as own:
        yield own


@asynccontextmanager
async def own_topics(stack: StackAddresses) -> AsyncIterator[Topics]:
    """Make three topics for as long as the block runs."""
    mark = uuid.uuid4().hex[:12]
    own = Topics(*(f"{TEST_TOPICS}{mark}.{name}" for name in ("conversations", "conferences", "contacts")))
    await ensure_topics(stack.bootstrap, own, SystemClock(), login=stack.login(ADMIN))
    yield own
    await delete_topics(stack.bootstrap, own.names, stack.login(ADMIN))


@pytest.fixture
async def health_topic(stack: StackAddresses) -> AsyncIterator[str]:
    """A topic of reports of health of the test's own."""
    name = f"{TEST_HEALTH}{uuid.uuid4().hex[:12]}"
    await ensure_health_topic(stack.bootstrap, name, SystemClock(), stack.login(ADMIN))
    yield name
    await delete_topics(stack.bootstrap, [name], stack.login(ADMIN))


@pytest.fixture
async def database(stack: StackAddresses) -> AsyncIterator[str]:
    """The name of a database of the test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield name
    async with AsyncMongoClient[dict[str, Any]](stack.mongodb_uri) as client:
        for own in (name, f"{name}_content"):
            await client.drop_database(own)


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded data; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("LYNC_ARCHIVER_RECORDED") or PROJECT / "../shared/recorded").resolve()
    if not folder.is_dir():
        pytest.skip(f"no recorded data in {folder}; LYNC_ARCHIVER_RECORDED names its folder")
    return folder
