"""Composition of the audit: settings in; the archive, and the keys that may have signed its journal, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumers.mongo.audit import MongoAuditor
from consumers.mongo.layout import content_database, prepared
from consumers.mongo.store import connect
from deploy.policies import switches
from deploy.settings import Settings, content_name, mongodb_uri
from deploy.signing import checker_of
from schemas.errors import Misconfigured


@asynccontextmanager
async def auditing(settings: Settings) -> AsyncIterator[MongoAuditor]:
    """Open the archive for an audit. Raises Misconfigured where there is none."""
    checker = checker_of(settings)
    database = connect(mongodb_uri(settings), settings.mongodb.database)
    try:
        if not await prepared(database):
            raise Misconfigured(f"database {database.name} holds no archive")
        contents = content_database(database, content_name(settings))
        yield MongoAuditor(database, contents, checker, switches(settings))
    finally:
        database.client.close()
