"""`python -m tests.episodes`: play one episode (`--seed`), many (`--episodes`), or look for the planted bugs."""

import argparse
import sys
import time
from collections.abc import Iterable

from tests.episodes.planted import BUGS
from tests.episodes.run import found_by, run, told

SEARCHED = range(1, 301)
"""The seeds that are searched for a planted bug."""


def main() -> int:
    """Do as the arguments say; return 1 where something was found that should not be, or not found that should."""
    parser = argparse.ArgumentParser(prog="python -m tests.episodes", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one, and shrink it where it fails")
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--planted", action="store_true", help="search each planted bug; print the table")
    given = parser.parse_args()
    if given.planted:
        return _planted()
    if given.seed is not None:
        lines = list(told(given.seed))
        _say(lines)
        return 1 if len(lines) > 1 else 0
    started = time.monotonic()
    summary = run(given.episodes, given.first_seed)
    _say([f"{summary} ({time.monotonic() - started:.1f} s)"])
    for seed in summary.failed[:3]:
        _say(told(seed))
    return 1 if summary.failed else 0


def _planted() -> int:
    _say(["| planted bug | seed | finding |", "|---|--:|---|"])
    missed = 0
    for bug in BUGS:
        found = found_by(bug, SEARCHED)
        missed += found is None
        _say([f"| {bug.name} | {found[0] if found else 'NOT FOUND'} | {bug.finding} |"])
    return 1 if missed else 0


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
