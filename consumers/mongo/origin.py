"""The origin of a rebuilt archive, in MongoDB: one document, which is there before anything else of the archive."""

from datetime import datetime
from typing import Final

from consumers.mongo.failures import reported
from consumers.mongo.layout import ORIGIN, Collection, Database
from consumers.origin import Origin, OriginKind

_ID: Final = "origin"


class MongoOrigin:
    """Reads and notes what an archive was rebuilt from."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._origins: Collection = database[ORIGIN]

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
        """Note the origin, unless one is there."""
        fields = {"kind": str(origin.kind), "topics": list(origin.topics), "sha256": origin.sha256}
        with reported("the archive's origin cannot be noted"):
            await self._origins.update_one(
                {"_id": _ID}, {"$setOnInsert": {**fields, "completed_at": None}}, upsert=True
            )

    async def complete(self, now: datetime) -> None:
        """Note when the rebuild was complete; the first time stays."""
        with reported("the archive's origin cannot be noted"):
            await self._origins.update_one({"_id": _ID, "completed_at": None}, {"$set": {"completed_at": now}})
