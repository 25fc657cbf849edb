"""Archived copies in MongoDB: one document for each mailbox and conversation whose target is not none."""

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import DeleteOne, UpdateOne

from consumers.batch import Batch
from consumers.copy import Copy
from consumers.grant import Grant
from consumers.mongo.documents import item_document, item_of, writer_document
from consumers.mongo.layout import PURGES, Database, Document
from consumers.policy.decision import Target


async def write_copies(database: Database, grant: Grant, batch: Batch, session: AsyncIOMotorClientSession) -> None:
    """Write a batch's copies; one whose target is none is there no more, if it ever was."""
    written_by = writer_document(grant)
    writes: list[UpdateOne | DeleteOne] = []
    for copy in batch.copies:
        which = {"_id": copy.item.id}
        if copy.target is Target.NONE:
            writes.append(DeleteOne(which))
        else:
            writes.append(UpdateOne(which, {"$set": {**copy_document(copy), "written_by": written_by}}, upsert=True))
    if writes:
        await database[PURGES].bulk_write(writes, ordered=False, session=session)


def copy_document(copy: Copy) -> Document:
    """Return all of a copy but its id."""
    return {**item_document(copy.item), "target": str(copy.target), "messages_only": copy.messages_only}


def copy_of(document: Document) -> Copy:
    """Read a copy."""
    return Copy(item_of(document), Target(document["target"]), document.get("messages_only", False))
