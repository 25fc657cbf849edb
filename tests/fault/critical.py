"""The full outages, on a stack of their own: `python -m tests.fault.critical`. Prints what it saw.

mongod is away for a minute under live load, twice: with critical mode and without; frozen the one time, ended and
started again the other. It exits 1 where something accepted is not in the archive as it was said, or somebody was
blocked who should not have been.
"""

import asyncio
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from deploy.stack.acls import Pattern, ensure_acls
from deploy.stack.local import RunningStack, local_stack
from deploy.stack.topics import ensure_topics
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.login import ADMIN
from tests.conftest import TEST_GROUPS, TEST_TOPICS
from tests.fault.harness.campaign import say
from tests.fault.outages import Load, Outage, frozen, through, wrongly_blocked
from tests.support.program import Program

AWAY_S: Final = 60.0
"""How long mongod is away each time."""
LOAD: Final = Load(users=1000, hours=2.0, speed=65)
"""Under two minutes of a thousand people, 65 times as fast as they are."""


async def main() -> int:
    """Run the four outages one after the other."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        async with local_stack(Path(folder) / "stack") as stack:
            await ensure_acls(stack.bootstrap, stack.login(ADMIN), [TEST_TOPICS], TEST_GROUPS, Pattern.PREFIXED)
            for critical in (True, False):
                for way, outage in (("frozen", _frozen(stack)), ("ended and started again", _ended(stack))):
                    name = f"critical mode {'on' if critical else 'off'}, mongod {way} for {AWAY_S:.0f} s"
                    program = await _program(stack, Path(folder), f"{way[:5]}-{critical}".lower())
                    seen = await through(program, LOAD, outage, critical=critical)
                    blocked = wrongly_blocked(program, LOAD)
                    say(f"{name}: {seen.simulated} events, {seen.accepted} accepted, refused {seen.refused}")
                    say(f"  verify: {seen.verdict}; wrongly blocked: {len(blocked)}")
                    whole = seen.accepted + sum(seen.refused.values()) == seen.simulated
                    wrong += bool(blocked) or not whole or critical != bool(seen.refused)
    say("all as documented" if not wrong else f"{wrong} NOT AS DOCUMENTED")
    return 1 if wrong else 0


def _frozen(stack: RunningStack) -> Outage:
    pid = stack.stack.mongodb.pid
    assert pid is not None
    return frozen(pid, AWAY_S)


def _ended(stack: RunningStack) -> Outage:
    async def begin() -> None:
        await stack.stack.mongodb.stop()

    async def end() -> None:
        await stack.stack.up()

    return Outage(begin, end, AWAY_S)


async def _program(stack: RunningStack, folder: Path, mark: str) -> Program:
    own = folder / mark
    own.mkdir()
    topics = Topics(*(f"{TEST_TOPICS}{mark}.{name}" for name in ("conversations", "conferences", "contacts")))
    await ensure_topics(stack.bootstrap, topics, SystemClock(), login=stack.login(ADMIN))
    program = Program(stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.data / "issuer", topics, own)
    program = replace(program, database=f"test_{mark.replace('-', '_')}")
    await asyncio.to_thread(program.trust_issuer)
    return program


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
