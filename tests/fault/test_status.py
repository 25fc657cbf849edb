"""Metrics and health of a running archiver."""

import socket
from urllib.error import URLError
from urllib.request import urlopen

from tests.fault.episodes import simulated
from tests.support.program import Program
from tests.support.waiting import await_until


async def test_metrics_and_health(program: Program) -> None:
    """A running archiver answers that it is well, and counts what it archived and how far it is behind."""
    simulated(program, users=20, hours=0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = program.start("archive", LYNC_ARCHIVER_HTTP__PORT=port)
    try:
        await await_until(lambda: 'outcome="archived"' in read(port, "/metrics"), limit_s=60)
        await await_until(lambda: "true" in read(port, "/readyz"), limit_s=60)
        assert "lync_lag_records{" in read(port, "/metrics")
        assert "lync_commit_seconds_count" in read(port, "/metrics")
        assert read(port, "/healthz") == '{"lanes":true}'
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0


def read(port: int, path: str) -> str:
    """Return what the archiver answers, or nothing while it does not listen or is not ready."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return str(answer.read().decode())
    except URLError:
        return ""
