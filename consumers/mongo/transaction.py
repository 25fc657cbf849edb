"""Transactions: begun with explicit concerns, committed once however often the answer is lost."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import WriteConcern
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from consumers.mongo.failures import codes
from schemas.clock import Clock

SOCKET_TIMEOUT_MS: Final = 30_000
"""One round trip; a batch of the largest size takes well below a second."""

JOURNALED: Final = WriteConcern(w="majority", j=True, wtimeout=SOCKET_TIMEOUT_MS)
SNAPSHOT: Final = ReadConcern("snapshot")

WRITE_CONFLICT: Final = 112
"""The server's code for a transaction that met another's write."""

_COMMIT_TRIES: Final = 3

CONFLICT_TRIES: Final = 10
"""A transaction that met another's write, as of a partner that changes, begins anew: nothing of it was written."""

CONFLICT_PAUSE_S: Final = 0.02
"""The first pause: about as long as a small transaction takes. It doubles, for lanes' first batches are large."""

CONFLICT_PAUSE_S_MAX: Final = 0.32
"""The longest pause: all lanes of an archive can begin, one after another, before the tries are used up."""

Write = Callable[[AsyncIOMotorClientSession], Awaitable[None]]
"""What a transaction writes."""

Ready = Callable[[], Awaitable[None]]
"""What is done outside of it, before each try."""


async def transacted(client: AsyncIOMotorClient[Any], clock: Clock, write: Write, ready: Ready | None = None) -> None:
    """Write in one transaction; one that met another's write is begun anew, since nothing of it was written."""
    for tried in range(CONFLICT_TRIES):
        if ready is not None:
            await ready()
        try:
            async with committed(client) as session:
                await write(session)
            return
        except OperationFailure as error:
            if tried == CONFLICT_TRIES - 1 or WRITE_CONFLICT not in codes(error):
                raise
            await clock.sleep(min(CONFLICT_PAUSE_S * 2**tried, CONFLICT_PAUSE_S_MAX))


@asynccontextmanager
async def committed(client: AsyncIOMotorClient[Any]) -> AsyncIterator[AsyncIOMotorClientSession]:
    """Commit what the block writes in its session; abort it where the block raises anything."""
    async with await client.start_session() as session:
        session.start_transaction(read_concern=SNAPSHOT, write_concern=JOURNALED)
        try:
            yield session
        except BaseException:
            await session.abort_transaction()
            raise
        await _commit(session)


async def _commit(session: AsyncIOMotorClientSession) -> None:
    """Commit; a lost answer is asked for again, since committing a transaction twice is committing it once."""
    for left in reversed(range(_COMMIT_TRIES)):
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if not left or not error.has_error_label("UnknownTransactionCommitResult"):
                raise
        else:
            return
