"""A stack of its own for a long run, and the program on it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.stack.acls import Pattern, ensure_acls
from deploy.stack.local import RunningStack, local_stack
from producers.topics import Topics
from schemas.login import ADMIN
from tests.support.program import Program


@asynccontextmanager
async def own_program(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[tuple[RunningStack, Program]]:
    """Run a stack in the folder for as long as the block runs; the archive is empty and trusts the issuer."""
    topics = Topics()
    async with local_stack(folder / "stack", topics) as stack:
        await ensure_acls(stack.bootstrap, stack.login(ADMIN), topics.names, "test_", Pattern.PREFIXED)
        program = Program(
            stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.data / "issuer", topics, folder, settings=settings
        )
        program.trust_issuer()
        yield stack, program
