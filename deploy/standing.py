"""The archive that is there: for commands that change one, and are not to make one in a database misspelt."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumers.mongo.layout import Database, content_database, prepare, prepared
from consumers.mongo.store import connect
from deploy.errors import NoArchive
from deploy.settings import Settings, content_name, mongodb_uri


@asynccontextmanager
async def standing_archive(settings: Settings) -> AsyncIterator[tuple[Database, Database]]:
    """Open the database of the archive, and that of its files, for as long as the block runs.

    Raises NoArchive where there is none, Misconfigured where its layout is not this release's.
    """
    database = connect(mongodb_uri(settings), settings.mongodb.database)
    try:
        if not await prepared(database):
            raise NoArchive(f"database {database.name} holds no archive")
        contents = content_database(database, content_name(settings))
        await prepare(database, contents)
        yield database, contents
    finally:
        database.client.close()
