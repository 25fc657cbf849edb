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

from deploy.stack.acls import Pattern, ensure_acls
from deploy.stack.listeners import TokenTrust
from deploy.stack.local import local_stack
from deploy.stack.stack import KafkaAccess
from deploy.stack.topics import delete_topics, ensure_topics
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.errors import LyncArchiverError
from schemas.login import ADMIN, KafkaLogin
from tests.support.issuer import Issuer, serving_issuer

PROJECT: Final = Path(__file__).parent.parent


TEST_TOPICS: Final = "test-"
TEST_GROUPS: Final = "test"
"""What the names of tests' own topics and groups begin with, which producer and archiver may use."""


@dataclass(frozen=True, slots=True)
class StackAddresses:
    """Where the servers of this session are; `issuer` signs the tokens that Kafka takes, None where it takes all."""

    bootstrap: str
    mongodb_uri: str
    issuer: Issuer | None = None
    data: Path | None = None

    def login(self, client: str) -> KafkaLogin | None:
        """Return the login of a client with good tokens; None where none is needed."""
        return None if self.issuer is None else self.issuer.login(client)


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StackAddresses]:
    """Real servers for the whole session; without them tests fail in CI and are skipped elsewhere."""
    with serving_issuer() as issuer:
        async for addresses in running_stack(tmp_path_factory.mktemp("stack"), issuer):
            yield addresses


async def running_stack(data: Path, issuer: Issuer | None) -> AsyncIterator[StackAddresses]:
    """Yield the servers that are set, else those of a stack in `data` that takes the issuer's tokens."""
    bootstrap = os.environ.get("LYNC_ARCHIVER_TEST_BOOTSTRAP")
    mongodb_uri = os.environ.get("LYNC_ARCHIVER_TEST_MONGODB")
    if bootstrap and mongodb_uri:
        yield StackAddresses(bootstrap, mongodb_uri)
        return
    running = local_stack(data, access=None if issuer is None else access_of(issuer))
    try:
        started = await running.__aenter__()
    except LyncArchiverError as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no local stack: {exc}")
    try:
        if started.access is not None:
            admin = started.access.login(ADMIN)
            await ensure_acls(started.bootstrap, admin, [TEST_TOPICS], TEST_GROUPS, Pattern.PREFIXED)
        yield StackAddresses(started.bootstrap, started.mongodb_uri, issuer, data)
    finally:
        await running.__aexit__(None, None, None)


def access_of(issuer: Issuer) -> KafkaAccess:
    """Return what a stack needs to take this issuer's tokens."""
    return KafkaAccess(TokenTrust(issuer.jwks_url, issuer.name), issuer.login, "lync-archiver")


@pytest.fixture
def issuer(stack: StackAddresses) -> Issuer:
    """The issuer that the session's Kafka trusts; tests that need it say nothing where another Kafka is used."""
    if stack.issuer is None:
        pytest.skip("Kafka takes no tokens of a test's issuer")
    return stack.issuer


@pytest.fixture
async def topics(stack: StackAddresses) -> AsyncIterator[Topics]:
    """Three topics of the test's own."""
    mark = uuid.uuid4().hex[:12]
    own = Topics(*(f"{TEST_TOPICS}{mark}.{name}" for name in ("conversations", "conferences", "contacts")))
    await ensure_topics(stack.bootstrap, own, SystemClock(), login=stack.login(ADMIN))
    yield own
    await delete_topics(stack.bootstrap, own, stack.login(ADMIN))


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
