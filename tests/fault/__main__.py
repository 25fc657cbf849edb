"""The full episodes, on stacks of their own: `make faults`. Prints what it saw; exits 1 where anything was found.

`--seed N` plays one episode again, and makes it smaller where it fails.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.stack.acls import Pattern, ensure_acls
from deploy.stack.local import local_stack
from producers.topics import Topics
from schemas.login import ADMIN
from tests.episodes.run import run
from tests.fault.episodes import digest_of, killed_digest, simulated
from tests.fault.harness.campaign import campaign, say
from tests.support.program import Program

USERS, HOURS, KILLS, SEED = 500, 4, 10, 2013
EPISODES, FIRST_SEED, STACKS = 200, 1, 2
VIRTUAL_EPISODES = 1000


async def main(options: argparse.Namespace) -> int:
    """Play what is asked for: one episode, or everything."""
    with tempfile.TemporaryDirectory() as folder:
        if options.seed is not None:
            return await episodes(Path(folder), [options.seed], 1)
        played = await asyncio.to_thread(run, VIRTUAL_EPISODES)
        say(str(played))
        failed = len(played.failed)
        if not options.only_episodes:
            failed += await digests(Path(folder))
        seeds = range(options.first_seed, options.first_seed + options.episodes)
        failed += await episodes(Path(folder), seeds, options.stacks)
    return 1 if failed else 0


async def episodes(folder: Path, seeds: Sequence[int], stacks: int) -> int:
    """Play seeded episodes, each with faults of its own, and print the table of what was met; return 1 for findings."""
    result = await campaign(seeds, stacks, folder)
    for line in result.table():
        say(line)
    return 0 if result.clean else 1


async def digests(folder: Path) -> int:
    """Archive four hours of 500 users in six ways, and once more while it is killed ten times; return 1 if unlike."""
    async with local_stack(folder / "stack") as stack:
        await ensure_acls(stack.bootstrap, stack.login(ADMIN), Topics().names, "test_", Pattern.PREFIXED)
        program = Program(stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.data / "issuer", Topics(), folder)
        recording = await asyncio.to_thread(simulated, program, USERS, HOURS, SEED)
        found = set()
        for workers in (1, 2):
            for batch in (500, 7, 1):
                digest = await asyncio.to_thread(digest_of, program, recording, workers=workers, batch=batch)
                say(f"{workers} processes, batches of {batch}: {digest}")
                found.add(digest)
        digest = await killed_digest(program, recording, kills=KILLS, batch=7, seed=SEED)
        say(f"killed {KILLS} times, batches of 7: {digest}")
        found.add(digest)
    say("1 digest" if len(found) == 1 else f"{len(found)} DIGESTS")
    return 0 if len(found) == 1 else 1


def options() -> argparse.Namespace:
    """Return what the command line asks for; nothing asks for everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault")
    parser.add_argument("--seed", type=int, help="play this one episode")
    parser.add_argument("--only-episodes", action="store_true", help="leave out the digests")
    parser.add_argument("--episodes", type=int, default=EPISODES)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--stacks", type=int, default=STACKS, help="how many are played at a time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(options())))
