"""Transactions: begun with explicit concerns, committed once however often the answer is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import WriteConcern
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

SOCKET_TIMEOUT_MS: Final = 30_000
"""One round trip; a batch of the largest size takes well below a second."""

JOURNALED: Final = WriteConcern(w="majority", j=True, wtimeout=SOCKET_TIMEOUT_MS)
SNAPSHOT: Final = ReadConcern("snapshot")

WRITE_CONFLICT: Final = 112
"""The server's code for a transaction that met another's write."""

_COMMIT_TRIES: Final = 3


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
