"""What auditors read of the hidden copies; no command for users comes here."""

from collections.abc import AsyncIterator

from consumers.copy import Copy
from consumers.mongo.copies import copy_of
from consumers.mongo.failures import reported
from consumers.mongo.layout import PURGES
from consumers.mongo.reader import MongoReader


class MongoDiscovery(MongoReader):
    """Reads archived copies on a replica set, and the content that they share with what users see."""

    async def copies(self, user: str | None = None) -> AsyncIterator[Copy]:
        """Stream the copies of a mailbox by start then id, or all by id.

        Raises NotFound where there is neither a copy nor a mailbox: an empty answer would hide a slip.
        """
        query, order = ({}, [("_id", 1)]) if user is None else ({"mailbox": user}, [("started", 1), ("_id", 1)])
        with reported("archived copies cannot be read"):
            found = False
            async for document in self._database[PURGES].find(query, sort=order, batch_size=100):
                found = True
                yield copy_of(document)
            if user is not None and not found:
                await self._mailbox(user)

    async def copy(self, item: str) -> Copy | None:
        """Return the copy with this id, or None where there is none any more."""
        with reported("archived copies cannot be read"):
            document = await self._database[PURGES].find_one({"_id": item})
        return None if document is None else copy_of(document)
