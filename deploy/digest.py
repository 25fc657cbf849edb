"""The digest of an archive: SHA-256 over everything that its mailboxes show, and nothing that they do not.

What is hashed are lines of ASCII JSON with sorted keys, no spaces, and an LF each. For each mailbox, by SIP address, a
line of its `user` and `name`; for each of its items, by start then id, a line of the item without its entries; for each
entry, in order, a line of the entry. All fields are those of `mailbox export`. Quarantine, checkpoints, sessions and
who wrote an item are no part of it.
"""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from consumers.reading import ArchiveReader, ListedItem
from consumers.transcript import lines
from deploy.export import entry_document, files_of, head_document, names_of

_dump: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Digest:
    """How much the mailboxes show, and SHA-256 over it, in hex."""

    mailboxes: int
    items: int
    entries: int
    digest: str


async def digest(reader: ArchiveReader) -> Digest:
    """Return the digest of an archive that nobody writes meanwhile; memory is bounded by the people of a conversation.

    One that is written meanwhile gives the digest of no one moment.
    """
    whole = hashlib.sha256()
    mailboxes = items = entries = 0
    async for mailbox in reader.mailboxes():
        mailboxes += 1
        whole.update(_line({"user": mailbox.user, "name": mailbox.name}))
        async for listed in reader.all_items(mailbox.user):
            items += 1
            entries -= 1  # the item's own line
            async for line in item_lines(reader, listed):
                entries += 1
                whole.update(line)
    return Digest(mailboxes, items, entries, whole.hexdigest())


async def item_hash(reader: ArchiveReader, listed: ListedItem) -> bytes:
    """Return SHA-256 over an item's lines."""
    whole = hashlib.sha256()
    async for line in item_lines(reader, listed):
        whole.update(line)
    return whole.digest()


async def item_lines(reader: ArchiveReader, listed: ListedItem) -> AsyncIterator[bytes]:
    """Stream an item's lines: the item, then its entries. Its conversation must have been read with its members."""
    yield _line(head_document(listed))
    async for entry in entry_documents(reader, listed):
        yield _line(entry)


async def entry_documents(reader: ArchiveReader, listed: ListedItem) -> AsyncIterator[dict[str, Any]]:
    """Stream the entries that the item's owner may see."""
    names, files = names_of(listed.conversation), await files_of(reader, listed)
    async for event in reader.events(listed.conversation.id):
        for line in lines(listed.item, (event,)):
            if line.content is not None and line.sequence not in files:  # archived in between
                files = await files_of(reader, listed)
            yield entry_document(line, names, files)


def _line(document: dict[str, Any]) -> bytes:
    return f"{_dump(document)}\n".encode()
