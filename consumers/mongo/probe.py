"""Whether a database takes writes: one small document, written as durably as the archive, again and again."""

from typing import Final

from pymongo.errors import PyMongoError

from consumers.mongo.layout import PROBES, Database
from consumers.ports import StoreUnavailable

_PROBE: Final = {"_id": "probe"}


class MongoProbe:
    """The `StoreProbe` of one database; archivers share the document."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self) -> None:
        try:
            await self._database[PROBES].update_one(_PROBE, {"$inc": {"writes": 1}}, upsert=True)
        except PyMongoError as error:
            name = type(error).__name__
            raise StoreUnavailable(f"database {self._database.name} takes no write: {name}") from error
