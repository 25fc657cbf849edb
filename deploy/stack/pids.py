"""Pid files that know which process they mean, so that a stale or recycled pid is never taken for a server.

Imports nothing of ours and little else: the launcher starts with it.
"""

import json
import subprocess
from pathlib import Path

_PROC = Path("/proc")


def started_at(pid: int) -> str | None:
    """Say when process `pid` started, in the system's own words; None if it is gone.

    A zombie is gone: it holds no port and no file, and in a container nobody may ever reap it.
    """
    if not (_PROC / "self" / "stat").exists():
        return _started_at_by_ps(pid)
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in brackets, may hold spaces and brackets: fields are counted from the last one.
    fields = stat.rpartition(")")[2].split()
    state, ticks_since_boot = fields[0], fields[19]
    if state in "ZX":
        return None
    boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{ticks_since_boot}"


def _started_at_by_ps(pid: int) -> str | None:
    listing = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, start = listing.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else start.strip()


def write_pid(path: Path, pid: int) -> None:
    """Record a process that runs; a reader sees the whole record or none."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps({"pid": pid, "started": started_at(pid)}))
    part.replace(path)


def read_pid(path: Path) -> int | None:
    """Return the pid recorded in `path` if that very process still runs, else None."""
    try:
        record = json.loads(path.read_text())
        pid, started = int(record["pid"]), record["started"]
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    return pid if started is not None and started_at(pid) == started else None
