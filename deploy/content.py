"""Composition around the content store: the archiver's side of it, the Lync side's, and its sweep."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from consumers.mongo.content_store import MongoContent
from consumers.mongo.layout import check, content_database
from consumers.mongo.store import connect
from consumers.ports import ContentStore, IdleContent
from deploy.settings import Settings, content_name, mongodb_uri
from deploy.standing import standing_archive
from producers.gridfs_content import GridFsContent
from schemas.clock import SystemClock
from schemas.errors import Misconfigured


@dataclass(slots=True)
class Swept:
    """What a sweep found idle, what of it was deleted, in files and bytes, and what was needed again meanwhile."""

    idle: int = 0
    deleted: int = 0
    bytes: int = 0
    kept: int = 0


@asynccontextmanager
async def content_store(settings: Settings) -> AsyncIterator[MongoContent]:
    """Open the archive's files to read them, for as long as the block runs."""
    database = connect(mongodb_uri(settings), settings.mongodb.database)
    try:
        await check(database)
        contents = content_database(database, content_name(settings))
        yield MongoContent(database, contents, settings.content.item_bytes_max)
    finally:
        database.client.close()


@asynccontextmanager
async def content_to_sweep(settings: Settings) -> AsyncIterator[MongoContent]:
    """Open the archive's files to delete of them. Raises NoArchive where there is no archive."""
    async with standing_archive(settings) as (database, contents):
        yield MongoContent(database, contents, settings.content.item_bytes_max)


def content_sink(settings: Settings) -> GridFsContent:
    """Return where the Lync side puts files; it is closed by leaving it as a context."""
    limit = settings.content.upload_bytes_max
    return GridFsContent(mongodb_uri(settings), content_name(settings), SystemClock(), limit)


async def sweep(
    store: ContentStore, now: datetime, older_than_h: float, *, dry_run: bool, watch: Callable[[IdleContent], None]
) -> Swept:
    """Delete the files that were put so many hours ago and that nothing refers to; a dry run deletes nothing."""
    before = now - timedelta(hours=older_than_h)
    swept = Swept()
    async for file in store.idle(before):
        swept.idle += 1
        watch(file)
        if dry_run:
            continue
        if await store.drop(file.sha256, before):
            swept.deleted += 1
            swept.bytes += file.size
        else:
            swept.kept += 1
    return swept


async def get(store: ContentStore, sha256: str, out: Path) -> int:
    """Write a file's bytes to `out`, which takes its name only when they are all there and right; return how many.

    Raises NotFound, ContentAltered, Misconfigured where it cannot be written.
    """
    part = out.with_name(f"{out.name}.part")
    size = 0
    try:
        with part.open("wb") as file:
            async for portion in store.open(sha256):
                file.write(portion)
                size += len(portion)
        part.replace(out)
    except OSError as error:
        raise Misconfigured(f"{out} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return size
