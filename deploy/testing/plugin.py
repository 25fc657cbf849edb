"""The pytest plugin: options and fixtures for those who test pipelines with recordings (docs/testing.md)."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest

if TYPE_CHECKING:
    from deploy.testing.archive import Archive, Source
    from deploy.testing.servers import Servers

LINES_MAX: Final = 40
"""Differences that a failure shows: what fits a screen."""

START_LIMIT_S: Final = 180.0
"""How long the servers may take to start or to stop, on a machine that is busy."""

_ADDRESSES: Final = ("kafka", "mongodb", "issuer", "secrets")


class AssertArchived(Protocol):
    """Fails, and says what differs, unless an archive holds just what a recording says."""

    def __call__(self, recording: "Source", archive: "Archive | None" = None) -> "Archive":
        """Compare with this archive, or archive the recording into a new one first; return the archive."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("lync-archiver", "lync archiver")
    group.addoption("--lync-recording", action="append", default=[], metavar="FILE", help="a recording to test with")
    group.addoption("--lync-data", metavar="DIR", help="folder of the local stack; a temporary one unless given")
    group.addoption(
        "--lync-kafka",
        metavar="HOST:PORT",
        help="use this Kafka; goes with --lync-mongodb, --lync-issuer and --lync-secrets",
    )
    group.addoption("--lync-mongodb", metavar="URI", help="use this MongoDB replica set")
    group.addoption("--lync-issuer", metavar="URL", help="use this token issuer")
    group.addoption("--lync-secrets", metavar="DIR", help="folder with the secrets of the issuer's clients")
    group.addoption("--lync-keep", action="store_true", help="keep topics and databases of tests")
    group.addoption("--lync-show-text", action="store_true", help="show what people wrote in differences")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse wrong options before any test runs. Raises UsageError."""
    given = [config.getoption(f"--lync-{name}") for name in _ADDRESSES]
    if any(given) and not all(given):
        raise pytest.UsageError("--lync-kafka, --lync-mongodb, --lync-issuer and --lync-secrets go together")
    if any(given) and config.getoption("--lync-data"):
        raise pytest.UsageError("--lync-data is for a stack of the tests' own, --lync-kafka for servers that run")
    for file in config.getoption("--lync-recording"):
        if not Path(file).is_file():
            raise pytest.UsageError(f"--lync-recording: {file} is no file")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `lync_recording` once for each file given."""
    if "lync_recording" in metafunc.fixturenames:
        files = [Path(file) for file in metafunc.config.getoption("--lync-recording")]
        metafunc.parametrize("lync_recording", files, ids=[file.name for file in files])


@pytest.fixture(scope="session")
def lync_stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[LyncStack]":
    """The servers: a local stack that lives as long as the session, or those that the options name."""
    from deploy.testing.background import Background  # noqa: PLC0415  pytest loads plugins at every start
    from deploy.testing.servers import Servers, grant_tests, own_servers  # noqa: PLC0415

    given = [request.config.getoption(f"--lync-{name}") for name in _ADDRESSES]
    with Background() as background:
        if all(given):
            kafka, mongodb, issuer, secrets = map(str, given)
            servers = Servers(kafka, mongodb, issuer, Path(secrets))
            background.run(grant_tests(servers), START_LIMIT_S)
            yield LyncStack(servers, background)
            return
        data = request.config.getoption("--lync-data")
        running = own_servers(Path(data) if data else tmp_path_factory.mktemp("lync-stack"))
        servers = background.run(running.__aenter__(), START_LIMIT_S)
        try:
            background.run(grant_tests(servers), START_LIMIT_S)
            yield LyncStack(servers, background)
        finally:
            background.run(_closed(running), START_LIMIT_S)


class LyncStack:
    """The servers of the session, and new archives on them."""

    def __init__(self, servers: "Servers", background: Any) -> None:
        self.servers = servers
        self._background = background

    def archive(self) -> "Archive":
        """Make a new archive; whoever makes it drops it."""
        from deploy.testing.archive import Archive  # noqa: PLC0415  pytest loads plugins at every start

        return Archive(self.servers, self._background)


@pytest.fixture
def lync_archives(request: pytest.FixtureRequest, lync_stack: LyncStack) -> "Iterator[Callable[[], Archive]]":
    """Make new archives, each with topics of its own; they are dropped when the test is over."""
    made: list[Archive] = []

    def make() -> "Archive":
        made.append(lync_stack.archive())
        return made[-1]

    yield make
    if not request.config.getoption("--lync-keep"):
        for archive in made:
            archive.drop()


@pytest.fixture
def lync_archive(lync_archives: "Callable[[], Archive]") -> "Archive":
    """One new archive, for a pipeline that the test itself runs."""
    return lync_archives()


@pytest.fixture
def lync_archived(lync_archives: "Callable[[], Archive]") -> "Callable[[Source], Archive]":
    """Publish a recording, archive it with a real archiver, and return the archive."""

    def archived(recording: "Source") -> "Archive":
        archive = lync_archives()
        archive.publish(recording)
        archive.archive()
        return archive

    return archived


@pytest.fixture
def assert_archived(request: pytest.FixtureRequest, lync_archived: "Callable[[Source], Archive]") -> "AssertArchived":
    """Fail, and say what differs, unless an archive holds just what a recording says."""
    show_text = bool(request.config.getoption("--lync-show-text"))

    def check(recording: "Source", archive: "Archive | None" = None) -> "Archive":
        __tracebackhide__ = True
        records = recording if isinstance(recording, str | PathLike) else list(recording)
        archive = lync_archived(records) if archive is None else archive
        from deploy.verification.report import report, summary  # noqa: PLC0415  pytest loads plugins at every start

        verdict, differences = archive.verify(records)
        if not verdict.holds:
            texts = archive.texts(records, differences[:LINES_MAX]) if show_text else None
            lines = report(differences, LINES_MAX, texts)
            pytest.fail("\n".join(["the archive is not what the recording says", summary(verdict), *lines]), False)
        return archive

    return check


async def _closed(running: Any) -> None:
    with suppress(StopAsyncIteration):
        await running.__aexit__(None, None, None)
