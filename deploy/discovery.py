"""Composition of discovery: what auditors read of the copies that no user sees."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, Final

from consumers.copy import archived
from consumers.mongo.discovery import MongoDiscovery
from consumers.mongo.layout import check
from consumers.mongo.retention import MongoRetention
from consumers.mongo.store import connect
from consumers.reading import ListedItem
from consumers.transcript import lines
from deploy.export import entry_document, files_of, head_document, names_of
from deploy.kafka_login import issuer_client
from deploy.settings import Settings, mongodb_uri
from deploy.signing import signer_of
from deploy.standing import standing_archive
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
    marked, left = 0, iter(sorted(segments))
    async with standing_archive(settings) as (database, _), issuer_client(settings, ARCHIVER) as tokens:
        grants = grants_of(settings, database, tokens, clock)
        store = MongoRetention(database, clock, signer_of(settings))
        while few := list(islice(left, MARKED_MAX)):
            marked += await store.mark_exported(await grants.current(), {name: segments[name] for name in few})
    return marked


async def copy_documents(discovery: MongoDiscovery, user: str | None) -> AsyncIterator[tuple[dict[str, Any], int]]:
    """Stream copies as the export writes items, with `mailbox` and `target`, and how many segments each is made of.

    What a copy has is read again after the events: a leave that is archived in between hides what follows it. One that
    is there no more, or whose conversation is removed meanwhile, is left out.
    """
    async for found in discovery.copies(user):
        name = found.item.conversation
        conversation = (await discovery.conversations([name]))[name]
        if conversation.removed:
            continue
        said = [event async for event in discovery.events(name)]
        names, files = names_of(conversation), await files_of(discovery, ListedItem(found.item, conversation, None))
        copy = await discovery.copy(found.item.id)  # last: while it is there, so is all of its conversation
        if copy is None:
            continue
        events = [event for event in said if archived(copy, event)]
        document = {
            "mailbox": copy.item.mailbox,
            "target": str(copy.target),
            **head_document(ListedItem(copy.item, conversation, None)),
            "entries": [entry_document(line, names, files) for line in lines(copy.item, events)],
        }
        yield document, conversation.segments  # read before the events: what came in between is not counted
