"""The campaign on a stack of its own: `python -m tests.fault.tampering --mutations N --archives N --seed S`.

Prints what it saw; exits 1 where a mutation is missed, or an archive that nobody touched is not clean.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from deploy.stack.local import local_stack
from tests.fault.harness.campaign import say
from tests.fault.tampering.campaign import campaign


async def main(mutations: int, archives: int, seed: int) -> int:
    """Attack as many archives, the first of this seed, with as many mutations in all."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with local_stack(Path(folder) / "stack") as stack:
            report = await campaign(stack.mongodb_uri, "tampering", archives, mutations, seed, say)
    say(f"{report.archives} archives, {report.looks} audits of these as they were, {time.monotonic() - began:.0f} s")
    say(f"{report.mutations.total():,} mutations")
    for counts in (report.told, report.collections, report.mutations):
        say(", ".join(f"{name} {count}" for name, count in counts.most_common()))
    say(f"{len(report.problems)} problems")
    return 1 if report.problems else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.fault.tampering")
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--archives", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.mutations, given.archives, given.seed)))
