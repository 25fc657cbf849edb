"""The origin of a rebuilt archive, in MongoDB: one document, which is there before anything else of the archive."""

from typing import Final

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import ReturnDocument

from consumers.audit.journal import Act, Signer
from consumers.mongo.digests import document_digest
from consumers.mongo.failures import reported
from consumers.mongo.journal import MongoJournal
from consumers.mongo.layout import ORIGIN, Collection, Database
from consumers.mongo.transaction import transacted
from consumers.origin import Origin, OriginKind
from schemas.clock import Clock

_ID: Final = "origin"


class MongoOrigin:
    """Reads and notes what an archive was rebuilt from."""

    def __init__(self, database: Database, clock: Clock, signer: Signer) -> None:
        self._database = database
        self._clock = clock
        self._journal = MongoJournal(database, signer)
        self._origins: Collection = database[ORIGIN]

    @property
    def name(self) -> str:
        """The archive's name."""
        return self._database.name

    async def empty(self) -> bool:
        """Return whether the database holds nothing at all, collections included."""
        with reported("the database cannot be read"):
            return not await self._database.list_collection_names()

    async def read(self) -> Origin | None:
        """Return the origin, or None of an archive that is not a rebuilt one."""
        with reported("the archive's origin cannot be read"):
            found = await self._origins.find_one({"_id": _ID})
        if found is None:
            return None
        return Origin(OriginKind(found["kind"]), tuple(found["topics"]), found["sha256"], found["completed_at"])

    async def begin(self, origin: Origin) -> None:
        """Note the origin; there must be none."""
        fields = {"kind": str(origin.kind), "topics": list(origin.topics), "sha256": origin.sha256}

        async def write(session: AsyncIOMotorClientSession) -> None:
            document = {"_id": _ID, **fields, "completed_at": None}
            await self._origins.insert_one(document, session=session)
            await self._journal.act(Act.ORIGIN, {"digest": document_digest(document)}, session)

        with reported("the archive's origin cannot be noted"):
            await transacted(self._database.client, self._clock, write)

    async def complete(self) -> None:
        """Note when the rebuild was complete; the first time stays."""
        completed = {"$set": {"completed_at": self._clock.now()}}

        async def write(session: AsyncIOMotorClientSession) -> None:
            document = await self._origins.find_one_and_update(
                {"_id": _ID, "completed_at": None},
                completed,
                return_document=ReturnDocument.AFTER,
                session=session,
            )
            if document is not None:
                await self._journal.act(Act.ORIGIN, {"digest": document_digest(document)}, session)

        with reported("the archive's origin cannot be noted"):
            await transacted(self._database.client, self._clock, write)
