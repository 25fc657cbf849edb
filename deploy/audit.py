"""Composition of the audit: settings in; the archive, and the keys that may have signed its journal, put together."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from consumers.audit.journal import Head
from consumers.mongo.audit import MongoAuditor
from consumers.mongo.layout import content_database, prepared
from consumers.mongo.store import connect
from deploy.policies import switches
from deploy.settings import Settings, content_name, mongodb_uri
from deploy.signing import checker_of
from schemas.errors import Misconfigured


def heads_document(heads: Mapping[str, Head]) -> dict[str, dict[str, Any]]:
    """Return where chains end, to be kept away from the archive."""
    return {chain: {"number": head.number, "hash": head.hash.hex()} for chain, head in sorted(heads.items())}


def read_heads(file: Path) -> dict[str, Head]:
    """Read heads from a document that `audit verify --json` printed. Raises Misconfigured."""
    try:
        found = json.loads(file.read_bytes())["heads"]
        return {chain: Head(int(head["number"]), bytes.fromhex(head["hash"])) for chain, head in found.items()}
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Misconfigured(f"{file} is not what `audit verify --json` printed") from error


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
