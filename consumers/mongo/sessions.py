"""Sessions in MongoDB: documents that are inserted and never touched again, each with an entry of its own chain."""

import asyncio
from collections.abc import Sequence

from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClientSession

from consumers.audit.journal import SESSIONS as CHAIN
from consumers.audit.journal import Act, Signer
from consumers.mongo.digests import document_digest
from consumers.mongo.failures import reported
from consumers.mongo.journal import MongoJournal
from consumers.mongo.layout import SESSIONS, Collection, Database, Document
from consumers.mongo.transaction import transacted
from consumers.tokens.session import Session
from schemas.clock import Clock


class MongoSessions:
    """The `SessionLog` on a replica set.

    One after the other within a process: of transactions at one time all but one would begin anew, and whoever presents
    many tokens would keep a lane from its grant.
    """

    def __init__(self, database: Database, clock: Clock, signer: Signer) -> None:
        self._database = database
        self._clock = clock
        self._journal = MongoJournal(database, signer)
        self._sessions: Collection = database[SESSIONS]
        self._turn = asyncio.Lock()

    async def record(self, session: Session) -> None:
        document: Document = {"_id": ObjectId(), **session._asdict()}

        async def write(transaction: AsyncIOMotorClientSession) -> None:
            await self._sessions.insert_one(document, session=transaction)
            facts = {"session": str(document["_id"]), "digest": document_digest(document)}
            await self._journal.act(Act.SESSION, facts, transaction, CHAIN)

        with reported("a session cannot be recorded"):
            async with self._turn:
                await transacted(self._database.client, self._clock, write)

    async def latest(self, count: int) -> Sequence[Session]:
        """Return the newest sessions, newest first."""
        with reported("sessions cannot be read"):
            found = await self._sessions.find({}, {"_id": 0}).sort([("at", -1), ("_id", -1)]).limit(count).to_list(None)
        return [Session(**document) for document in found]
