"""The example project: installed in an environment of its own, and run on its own.

Its tests pass on servers that run already; the planted loss is found on a stack that the plugin starts.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from deploy.stack.state import is_free, load_ports
from tests.conftest import PROJECT, StackAddresses

EXAMPLE: Final = PROJECT / "tests" / "example_project"
LIMIT_S: Final = 250
COUNTS: Final = r"^(\d+) missing, 0 duplicated, 0 misordered, \d+ altered, 0 leaked; (\d+) of (\d+) entries"
MISSING: Final = r"^ +missing +\d+  \d{4}-\d\d-\d\dT[0-9:.]+Z  message by sip:\S+ #[0-9a-f]{8} \(\d+ characters\)$"
LOST: Final = 40
"""A record of the example's recording that carries a message."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project, installed with the product in an environment of its own; no network is needed."""
    folder = tmp_path_factory.mktemp("example")
    project = folder / "project"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True, timeout=LIMIT_S)
    # Everything that is locked comes from the environment in use; the two projects themselves are installed.
    ours = next(Path(entry) for entry in sys.path if entry.endswith("site-packages"))
    theirs = next((folder / "venv").glob("lib/python*/site-packages"))
    (theirs / "locked.pth").write_text(f"{ours}\n")
    ours_pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    options = ["--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*ours_pip, *options, PROJECT, project], check=True, timeout=LIMIT_S)
    return project


def run(installed: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run its tests with its own pytest process, in its own folder, without the plugins that only our tests need.

    And without the summary, which would say all again where CI is set.
    """
    python = installed.parent / "venv" / "bin" / "python"
    return subprocess.run(
        [python, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:timeout", "-rN", *options],
        cwd=installed,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_its_tests_pass(installed: Path, stack: StackAddresses) -> None:
    """All of them, and the one that wants a recording of the user's own says that there is none.

    Warnings are errors here, where no stack starts: pymongo leaves a socket open where it is closed while it connects.
    """
    # With "=": pytest takes a folder that stands alone for a place of tests, until it has read the plugin's options.
    kafka = (f"--lync-kafka={stack.bootstrap}", f"--lync-mongodb={stack.mongodb_uri}")
    issuer = (f"--lync-issuer={stack.issuer}", f"--lync-secrets={stack.issuer_folder.absolute()}")
    done = run(installed, "-W", "error", *kafka, *issuer)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "3 passed, 1 skipped in" in done.stdout
    assert f"rootdir: {installed}\n" in done.stdout


def test_a_planted_loss_is_said_so_that_a_person_can_read_it(installed: Path, tmp_path: Path) -> None:
    """A record that the pipeline loses: counts first, then each mailbox, with the entry that is missing there.

    The stack is the plugin's own, and stopped though the test failed.
    """
    done = run(installed, f"--lync-data={tmp_path / 'data'}", f"--lose={LOST}", "-k", "loses_nothing")
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-3000:]
    assert "the archive is not what the recording says" in done.stdout
    counts = re.search(COUNTS, done.stdout, re.MULTILINE)
    assert counts is not None, done.stdout
    missing, archived, expected = map(int, counts.groups())
    assert missing >= 2
    assert archived == expected - missing
    assert len(re.findall(MISSING, done.stdout, re.MULTILINE)) == missing
    assert len(re.findall(r"^sip:\S+, \S+$", done.stdout, re.MULTILINE)) == missing
    ports = load_ports(tmp_path / "data")
    assert all(is_free(port) for port in (ports.kafka, ports.mongodb, ports.issuer))


def test_servers_are_named_whole_or_not_at_all(installed: Path) -> None:
    """Wrong usage is said before any test runs."""
    assert run(installed, "--lync-kafka=localhost:1").returncode == pytest.ExitCode.USAGE_ERROR
    given = [f"--lync-{name}=x" for name in ("kafka", "mongodb", "issuer", "secrets", "data")]
    assert run(installed, *given).returncode == pytest.ExitCode.USAGE_ERROR

    done = run(installed, "--lync-recording=nowhere.jsonl")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.strip().splitlines()[-1] == "ERROR: --lync-recording: nowhere.jsonl is no file"


def test_the_product_does_without_pytest() -> None:
    """Only pytest loads the plugin."""
    code = "import sys, deploy.__main__, deploy.testing.archive; sys.exit('pytest' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=LIMIT_S)
