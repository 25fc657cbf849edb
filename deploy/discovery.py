"""Composition of discovery: what auditors read of the copies that no user sees."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from consumers.copy import archived
from consumers.mongo.discovery import MongoDiscovery
from consumers.mongo.layout import check
from consumers.mongo.store import connect
from consumers.reading import ListedItem
from consumers.transcript import lines
from deploy.export import entry_document, files_of, head_document, names_of
from deploy.settings import Settings, mongodb_uri


@asynccontextmanager
async def discovering(settings: Settings) -> AsyncIterator[MongoDiscovery]:
    """Open the archive for an auditor. Raises Misconfigured where its layout is not this release's."""
    database = connect(mongodb_uri(settings), settings.mongodb.database)
    try:
        await check(database)
        yield MongoDiscovery(database)
    finally:
        database.client.close()


async def copy_documents(discovery: MongoDiscovery, user: str | None) -> AsyncIterator[dict[str, Any]]:
    """Stream copies as the export writes items, with `mailbox` and `target`; a copy's conversation is always there."""
    async for copy in discovery.copies(user):
        name = copy.item.conversation
        conversation = (await discovery.conversations([name]))[name]
        events = [event async for event in discovery.events(name) if archived(copy, event)]
        listed = ListedItem(copy.item, conversation, None)
        names, files = names_of(conversation), await files_of(discovery, listed)
        yield {
            "mailbox": copy.item.mailbox,
            "target": str(copy.target),
            **head_document(listed),
            "entries": [entry_document(line, names, files) for line in lines(copy.item, events)],
        }
