"""Makes a Python process's clock wrong: it finds this module on its path, as Python does, before anything runs.

The file that `LYNC_ARCHIVER_TEST_CLOCK` names holds by how many seconds, and may change at any time.
"""
# ruff: noqa: TID251  the clock itself

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.clock import SystemClock

_SHIFT = Path(os.environ["LYNC_ARCHIVER_TEST_CLOCK"])


def _now(self: SystemClock) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(_SHIFT.read_text() or 0))


SystemClock.now = _now  # type: ignore[method-assign]
