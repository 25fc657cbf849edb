"""Gets and checks all that the local stack runs: `python -m deploy.stack.download`, part of `make setup`.

Prints one sentence for each problem and exits 1 if there is any; does little when all is there.
"""

import sys
from collections.abc import Callable

from deploy.errors import NotInstalled
from deploy.settings import cache_folder, java_home
from deploy.stack.database import find_mongod, mongod_version
from deploy.stack.jars import fetch_jars, verified_jars
from deploy.stack.java import JAVA_MIN, find_java, java_release


def _check_java() -> str:
    java = find_java(java_home())
    release = java_release(java)
    if release < JAVA_MIN:
        raise NotInstalled(f"{java} is of release {release}; Kafka needs {JAVA_MIN} or later")
    return f"Java {release}"


def _check_mongod() -> str:
    return f"mongod {mongod_version(find_mongod())}"


def _check_kafka() -> str:
    try:
        jars = verified_jars(cache_folder())
    except NotInstalled:
        jars = fetch_jars(cache_folder(), _show)
        _show("")
    return f"Apache Kafka in {len(jars)} jars"


def _show(coordinate: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{coordinate and f'downloading {coordinate}'}")
        sys.stderr.flush()


def main() -> int:
    """Check every part; return the exit code."""
    checks: tuple[Callable[[], str], ...] = (_check_java, _check_mongod, _check_kafka)
    found, problems = [], []
    for check in checks:
        try:
            found.append(check())
        except NotInstalled as exc:
            problems.append(str(exc))
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if not problems:
        sys.stdout.write(f"local stack ready: {', '.join(found)}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
