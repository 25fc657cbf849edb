"""The planted loss, and a recording to test with."""

import subprocess
import sys
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lose", type=int, help="lose the record with this number, from 0")


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half an hour of twenty people."""
    file = tmp_path_factory.mktemp("recording") / "half-hour.jsonl.gz"
    command = [sys.executable, "-P", "-m", "deploy", "simulate", "--users", "20", "--hours", "0.5", "--seed", "7"]
    subprocess.run([*command, "--out", str(file)], check=True, timeout=60)
    return file
