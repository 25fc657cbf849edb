"""Composition of sweeps and purges: settings in; the archive, and leave to delete from it, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from consumers.grant_keeper import GrantKeeper
from consumers.mongo.layout import Database, content_database
from consumers.mongo.retention import MongoRetention
from consumers.purging import Purger, Tally
from deploy.kafka_login import issuer_client
from deploy.policies import switches
from deploy.settings import Settings, content_name
from deploy.signing import signer_of
from deploy.standing import standing_archive
from deploy.trust import grants_of
from schemas.clock import Clock, SystemClock
from schemas.errors import LyncArchiverError
from schemas.login import ARCHIVER

PAUSE_S: Final = 3600.0
"""Between the runs of an archiver: a sweep each hour, and the daily purge within the hour after its own."""


@asynccontextmanager
async def purging(settings: Settings, stop: asyncio.Event) -> AsyncIterator[Purger]:
    """Open the archive to delete from it, on the archiver's own token, until `stop` is set.

    Raises NoArchive where there is none.
    """
    clock = SystemClock()
    async with standing_archive(settings) as (database, _), issuer_client(settings, ARCHIVER) as tokens:
        yield _purger(settings, database, grants_of(settings, database, tokens, clock), clock, stop)


@asynccontextmanager
async def purging_meanwhile(
    settings: Settings, database: Database, grants: GrantKeeper, clock: Clock
) -> AsyncIterator[None]:
    """Sweep every hour, and purge daily, for as long as the block runs, where the settings have it so.

    Several archivers may do it at once: what one has deleted the others do not find.
    """
    if not settings.archive.purging:
        yield
        return
    stop = asyncio.Event()
    task = asyncio.create_task(_run(_purger(settings, database, grants, clock, stop), clock), name="purging")
    try:
        yield
    finally:
        stop.set()  # a transaction that was begun is waited for, and no other begins
        await asyncio.wait([task], timeout=settings.archive.flush_timeout_s)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _purger(settings: Settings, database: Database, grants: GrantKeeper, clock: Clock, stop: asyncio.Event) -> Purger:
    contents = content_database(database, content_name(settings))
    store = MongoRetention(database, clock, signer_of(settings), contents)
    return Purger(store, grants, clock, switches(settings), stop)


async def _run(purger: Purger, clock: Clock) -> None:
    """Run again and again until told to stop; what cannot be done now is done in the next hour."""
    while not purger.stopped:
        for action, run in (("swept", purger.sweep), ("purged", purger.daily)):
            try:
                _tell(action, await run())
            except LyncArchiverError as error:
                structlog.get_logger().warning("purging delayed", action="purging-delayed", reason=str(error))
        await purger.unless_stopped(clock.sleep(PAUSE_S))


def _tell(action: str, tally: Tally) -> None:
    if tally.looked:
        structlog.get_logger().info(action, action=action, **tally.document())
