"""Composition of the reading side: a reader on the archive that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumers.mongo.layout import check, prepared
from consumers.mongo.reader import MongoReader
from consumers.mongo.store import connect
from deploy.errors import NoArchive
from deploy.settings import Settings, load_settings, mongodb_uri


@asynccontextmanager
async def reading(settings: Settings | None = None) -> AsyncIterator[MongoReader]:
    """Open the archive for reading. Raises Misconfigured where its layout is not this release's."""
    settings = settings or load_settings()
    database = connect(mongodb_uri(settings), settings.mongodb.database)
    try:
        await check(database)
        yield MongoReader(database)
    finally:
        database.client.close()


@asynccontextmanager
async def reading_archive(settings: Settings, name: str | None = None) -> AsyncIterator[MongoReader]:
    """Open the archive in the database of this name, else the one in force. Raises NoArchive where there is none."""
    database = connect(mongodb_uri(settings), name or settings.mongodb.database)
    try:
        await check(database)
        if not await prepared(database):
            raise NoArchive(f"database {database.name} holds no archive")
        yield MongoReader(database)
    finally:
        database.client.close()


def sip_address(user: str) -> str:
    """Return the address as mailboxes are named: lower case, with its scheme."""
    lowered = user.lower()
    return lowered if lowered.startswith("sip:") else f"sip:{lowered}"
