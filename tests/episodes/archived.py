"""The archive in memory as the checker reads one: the documents that MongoDB would hold."""

from consumers.memory_store import MemoryStore
from consumers.mongo import documents
from consumers.mongo.rosters import roster_document
from tests.builders import CONVERSATIONS
from tests.checker.archive import Archive


def archive_of(memory: MemoryStore) -> Archive:
    """Return everything that is stored; the lane that wrote a conversation last is not kept in memory."""
    conversations = memory.conversations()
    return Archive(
        conversations=[
            {"_id": name} | documents.conversation_document(found, CONVERSATIONS) | roster_document(found)
            for name, found in conversations.items()
        ],
        segments=[documents.segment_document(segment) for name in conversations for segment in memory.segments(name)],
        items=[{"_id": item.id} | documents.item_document(item) for item in memory.items()],
        quarantine=[documents.quarantine_document(entry, b"") for entry in memory.quarantine()],
        checkpoints=[
            {"_id": str(lane), "next": found.next, **found.counts._asdict()}
            for lane, found in memory.checkpoints().items()
        ],
        attachments=[documents.attachment_document(found) for found in memory.attachments()],
    )
