"""How much memory a process took at most, as the kernel counts it for that process alone."""

import re
import subprocess
from pathlib import Path
from typing import Final

from tests.support.waiting import await_until

MIB: Final = 1024 * 1024
_PEAK: Final = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


async def peak_bytes(process: "subprocess.Popen[bytes]", limit_s: float) -> int:
    """Wait for the process to end and return the most memory that it held, in bytes, to its last tenth of a second.

    Kills the process where it takes longer than the limit.
    """
    peak = 0

    def ended() -> bool:
        nonlocal peak
        peak = max(peak, _peak_kib(process.pid))
        return process.poll() is not None

    try:
        await await_until(ended, limit_s)
    finally:
        process.kill()
        process.wait()
    return peak * 1024


def _peak_kib(pid: int) -> int:
    """A process that has ended, waited for or not, has no memory any more."""
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0
