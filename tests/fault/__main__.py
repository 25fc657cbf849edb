"""The full episodes, on a stack of their own: `make faults`. Prints what it saw.

Exits 1 where a digest differs or an episode has findings.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from deploy.stack.acls import Pattern, ensure_acls
from deploy.stack.local import local_stack
from producers.topics import Topics
from schemas.login import ADMIN
from tests.episodes.run import run
from tests.fault.episodes import digest_of, killed_digest, simulated
from tests.support.program import Program

USERS, HOURS, KILLS, SEED = 500, 4, 10, 2013
EPISODES = 1000


async def main() -> int:
    """Play the episodes; archive four hours of 500 users in six ways, and once more while it is killed ten times."""
    played = await asyncio.to_thread(run, EPISODES)
    say(str(played))
    with tempfile.TemporaryDirectory() as folder:
        async with local_stack(Path(folder) / "stack") as stack:
            await ensure_acls(stack.bootstrap, stack.login(ADMIN), Topics().names, "test_", Pattern.PREFIXED)
            issuer_folder = stack.data / "issuer"
            program = Program(stack.bootstrap, stack.mongodb_uri, stack.issuer, issuer_folder, Topics(), Path(folder))
            recording = await asyncio.to_thread(simulated, program, USERS, HOURS, SEED)
            digests = set()
            for workers in (1, 2):
                for batch in (500, 7, 1):
                    digest = await asyncio.to_thread(digest_of, program, recording, workers=workers, batch=batch)
                    say(f"{workers} processes, batches of {batch}: {digest}")
                    digests.add(digest)
            digest = await killed_digest(program, recording, kills=KILLS, batch=7, seed=SEED)
            say(f"killed {KILLS} times, batches of 7: {digest}")
            digests.add(digest)
    say("1 digest" if len(digests) == 1 else f"{len(digests)} DIGESTS")
    return 0 if len(digests) == 1 and not played.failed else 1


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
