"""Users' own folders in MongoDB: what a user deletes is marked, and shown no more."""

from motor.motor_asyncio import AsyncIOMotorClientSession

from consumers.audit.journal import Act
from consumers.grant import Grant
from consumers.mongo.digests import document_digest
from consumers.mongo.failures import reported
from consumers.mongo.journal import by
from consumers.mongo.layout import ITEMS
from consumers.mongo.store import MongoStore
from consumers.reading import NotFound


class MongoMailboxes(MongoStore):
    """The `MailboxStore` on a replica set. What it does is an act of the journal."""

    async def delete(self, grant: Grant, user: str, item: str) -> None:
        async def write(session: AsyncIOMotorClientSession) -> None:
            await self._check_trust(grant, session)
            which = {"_id": item, "mailbox": user, "deleted": None}
            now = self._clock.now()
            deleted = {
                "at": now,
                "application": grant.principal.application,
                "realm": grant.principal.realm,
                "token": grant.token_id,
            }
            found = await self._database[ITEMS].update_one(which, {"$set": {"deleted": deleted}}, session=session)
            if not found.matched_count:
                raise NotFound(f"mailbox {user} has no item {item}")
            facts = {**by(grant, now), "item": item, "digest": document_digest(deleted)}
            await self._journal.act(Act.DELETE, facts, session)

        with reported("an item cannot be deleted"):
            await self._transact(grant, lambda: (user,), write)
