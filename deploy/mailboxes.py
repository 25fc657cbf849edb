"""Composition of what users do to their own folders: settings in; the mailboxes, and leave to write, put together."""

from consumers.mongo.mailboxes import MongoMailboxes
from deploy.kafka_login import issuer_client
from deploy.settings import Settings
from deploy.signing import signer_of
from deploy.standing import standing_archive
from deploy.trust import grants_of
from schemas.clock import SystemClock
from schemas.login import ARCHIVER


async def delete(settings: Settings, user: str, item: str) -> None:
    """Delete an item for its user, on the archiver's own token. Raises NotFound, GrantRefused."""
    clock = SystemClock()
    async with standing_archive(settings) as (database, _), issuer_client(settings, ARCHIVER) as tokens:
        grants = grants_of(settings, database, tokens, clock)
        await MongoMailboxes(database, clock, signer_of(settings)).delete(await grants.current(), user, item)
