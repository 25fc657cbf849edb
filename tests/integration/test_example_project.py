"""The example project: installed in an environment of its own, run on its own, on servers that run already."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from deploy.testing.servers import Servers, grant_tests
from tests.conftest import PROJECT, StackAddresses

EXAMPLE: Final = PROJECT / "tests" / "example_project"
LIMIT_S: Final = 250
COUNTS: Final = r"(\d+) missing, 0 duplicated, 0 misordered, (\d+) altered, 0 leaked; (\d+) of (\d+) entries"
LOST: Final = 40
"""A record of the example's recording that carries a message."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project, installed with the product in an environment of its own; no network is needed."""
    folder = tmp_path_factory.mktemp("example")
    project = folder / "project"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True, timeout=LIMIT_S)
    # Everything that is locked comes from the environment in use; the two projects themselves are installed.
    ours = next(Path(entry) for entry in sys.path if entry.endswith("site-packages"))
    theirs = next((folder / "venv").glob("lib/python*/site-packages"))
    (theirs / "locked.pth").write_text(f"{ours}\n")
    install: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    subprocess.run([*install, PROJECT, project], check=True, timeout=LIMIT_S)
    return project


@pytest.fixture
async def granted(stack: StackAddresses) -> StackAddresses:
    """The session's servers, where the plugin's topics may be written and read."""
    await grant_tests(Servers(stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.issuer_folder))
    return stack


def run(installed: Path, stack: StackAddresses, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run its tests with its own pytest process, in its own folder."""
    python = installed.parent / "venv" / "bin" / "python"
    addresses = (
        *("--lync-kafka", stack.bootstrap, "--lync-mongodb", stack.mongodb_uri),
        *("--lync-issuer", stack.issuer, "--lync-secrets", str(stack.issuer_folder.absolute())),
    )
    return subprocess.run(
        [python, "-m", "pytest", "-p", "no:cacheprovider", *addresses, *options],
        cwd=installed,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_its_tests_pass(installed: Path, granted: StackAddresses) -> None:
    """All of them, and the one that wants a recording of the user's own says that there is none."""
    done = run(installed, granted)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "3 passed, 1 skipped" in done.stdout


def test_a_planted_loss_is_said_so_that_a_person_can_read_it(installed: Path, granted: StackAddresses) -> None:
    """A record that the pipeline loses: counts first, then each mailbox, with the entry that is missing there."""
    done = run(installed, granted, "--lose", str(LOST), "-k", "loses_nothing")
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-3000:]
    assert "the archive is not what the recording says" in done.stdout
    counts = re.search(
        r"(\d+) missing, 0 duplicated, 0 misordered, (\d+) altered, 0 leaked; (\d+) of (\d+)", done.stdout
    )
    assert counts is not None, done.stdout
    missing, _, archived, expected = map(int, counts.groups())
    assert missing >= 2
    assert archived == expected - missing
    shown = re.findall(
        r"^ +missing +\d+  \d{4}-\d\d-\d\dT[0-9:.]+Z  message by sip:\S+ #[0-9a-f]{8}$", done.stdout, re.MULTILINE
    )
    assert len(shown) == missing
    assert len(re.findall(r"^sip:\S+, \S+$", done.stdout, re.MULTILINE)) == missing


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--lync-recording=nowhere.jsonl",), "--lync-recording: nowhere.jsonl is no file"),
        (("--lync-kafka=",), "--lync-kafka, --lync-mongodb, --lync-issuer and --lync-secrets go together"),
    ],
)
def test_wrong_options_are_refused_before_any_test(
    installed: Path, stack: StackAddresses, options: tuple[str, ...], sentence: str
) -> None:
    """In one sentence, with pytest's exit code for wrong usage."""
    done = run(installed, stack, *options)
    assert (done.returncode, done.stdout) == (pytest.ExitCode.USAGE_ERROR, "")
    assert done.stderr.strip().splitlines()[-1] == f"ERROR: {sentence}"
