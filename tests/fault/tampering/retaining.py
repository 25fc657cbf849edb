"""What policies delete, and what users and auditors do for it, as things that happen to an archive."""

from datetime import timedelta
from random import Random
from typing import Final

from consumers.grant_keeper import GrantKeeper
from consumers.mongo.layout import CONVERSATIONS, ITEMS, PURGES
from consumers.mongo.mailboxes import MongoMailboxes
from consumers.mongo.retention import MongoRetention
from consumers.purging import Purger
from tests.fault.tampering.archive import Archive
from tests.support.trust import GRANT, ReadyAuthority

A_WHILE: Final = timedelta(days=8)
"""Longer than any CachePurgingInterval."""


def _purger(archive: Archive) -> Purger:
    store = MongoRetention(archive.database, archive.clock, archive.signer)
    return Purger(store, GrantKeeper(ReadyAuthority(), archive.clock), archive.clock)


async def purged(archive: Archive, dice: Random) -> None:
    """Some copies are purged by hand, or all of them."""
    archive.clock.advance(3600)
    await _purger(archive).manual(0.5, exported_only=dice.random() < 0.2, copies_max=dice.choice((1, 1, 2)))


async def daily(archive: Archive, _: Random) -> None:
    """What configurations let go goes."""
    archive.clock.advance(A_WHILE.total_seconds())
    await _purger(archive).daily(at_once=True)


async def swept(archive: Archive, dice: Random) -> None:
    """Meetings that nobody keeps go where everybody deleted them, and what purges left."""
    unkept = {"kind": "conference", "kept": False}
    meetings = await archive.database[CONVERSATIONS].find(unkept, {"_id": 1}, sort=[("_id", 1)]).to_list(None)
    for one in meetings:
        if dice.random() < 0.7:
            await _deleted_by_all(archive, one["_id"])
    archive.clock.advance(A_WHILE.total_seconds())
    await _purger(archive).sweep()


async def marked(archive: Archive, dice: Random) -> None:
    """Some copies are exported, with all that is there of their conversations."""
    copies = await archive.database[PURGES].find({}, {"conversation": 1}, sort=[("_id", 1)]).to_list(None)
    some = dice.sample(copies, dice.randint(0, len(copies)))
    counts = {one["_id"]: one["segments"] async for one in archive.database[CONVERSATIONS].find({}, {"segments": 1})}
    store = MongoRetention(archive.database, archive.clock, archive.signer)
    await store.mark_exported(GRANT, {one["_id"]: counts[one["conversation"]] for one in some})


async def forgotten(archive: Archive, dice: Random) -> None:
    """Everybody deletes one conversation."""
    found = await archive.database[CONVERSATIONS].find({}, {"_id": 1}, sort=[("_id", 1)]).to_list(None)
    if found:
        await _deleted_by_all(archive, dice.choice(found)["_id"])


async def _deleted_by_all(archive: Archive, conversation: str) -> None:
    visible = {"conversation": conversation, "deleted": None}
    mailboxes = MongoMailboxes(archive.database, archive.clock, archive.signer)
    for one in await archive.database[ITEMS].find(visible, sort=[("_id", 1)]).to_list(None):
        await mailboxes.delete(GRANT, one["mailbox"], one["_id"])
