"""Composition of discovery: what auditors read of the copies that no user sees."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, Final

from consumers.copy import archived
from consumers.mongo.discovery import MongoDiscovery
from consumers.mongo.layout import check, prepare
from consumers.mongo.retention import MongoRetention
from consumers.mongo.store import connect
from consumers.reading import ListedItem
from consumers.transcript import lines
from deploy.export import entry_document, files_of, head_document, names_of
from deploy.kafka_login import issuer_client
from deploy.settings import Settings, mongodb_uri
from deploy.signing import signer_of
from deploy.trust import grants_of
from schemas.clock import SystemClock
from schemas.login import ARCHIVER

MARKED_MAX: Final = 1000
"""Copies that one transaction marks."""


@asynccontextmanager
async def discovering(settings: Settings) -> AsyncIterator[MongoDiscovery]:
    """Open the archive for an auditor. Raises Misconfigured where its layout is not this release's."""
    database = connect(mongodb_uri(settings), settings.mongodb.database)
    try:
        await check(database)
        yield MongoDiscovery(database)
    finally:
        database.client.close()


async def mark_exported(settings: Settings, segments: Mapping[str, int]) -> int:
    """Mark copies as exported with so many segments, on the archiver's own token; return how many marks are new.

    Only once they are where they were to go: a purge may take what is marked. Raises GrantRefused.
    """
    clock = SystemClock()
    database = connect(mongodb_uri(settings), settings.mongodb.database)
    marked, left = 0, iter(sorted(segments))
    try:
        await prepare(database)
        async with issuer_client(settings, ARCHIVER) as tokens:
            grants = grants_of(settings, database, tokens, clock)
            store = MongoRetention(database, clock, signer_of(settings))
            while few := list(islice(left, MARKED_MAX)):
                marked += await store.mark_exported(await grants.current(), {name: segments[name] for name in few})
    finally:
        database.client.close()
    return marked


async def copy_documents(discovery: MongoDiscovery, user: str | None) -> AsyncIterator[tuple[dict[str, Any], int]]:
    """Stream copies as the export writes items, with `mailbox` and `target`, and how many segments each is made of.

    One whose conversation is removed meanwhile is left out.
    """
    async for copy in discovery.copies(user):
        name = copy.item.conversation
        conversation = (await discovery.conversations([name]))[name]
        if conversation.removed:
            continue
        events = [event async for event in discovery.events(name) if archived(copy, event)]
        listed = ListedItem(copy.item, conversation, None)
        names, files = names_of(conversation), await files_of(discovery, listed)
        document = {
            "mailbox": copy.item.mailbox,
            "target": str(copy.target),
            **head_document(listed),
            "entries": [entry_document(line, names, files) for line in lines(copy.item, events)],
        }
        yield document, conversation.segments  # read before the events: what came in between is not counted
