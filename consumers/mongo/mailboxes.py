"""Users' own folders in MongoDB: what a user deletes is marked, and shown no more."""

from motor.motor_asyncio import AsyncIOMotorClientSession

from consumers.grant import Grant
from consumers.mongo.failures import reported
from consumers.mongo.layout import ITEMS
from consumers.mongo.store import MongoStore
from consumers.reading import NotFound


class MongoMailboxes(MongoStore):
    """The `MailboxStore` on a replica set. The partner is touched before it is read, as by a redrive."""

    async def delete(self, grant: Grant, user: str, item: str) -> None:
        async def write(session: AsyncIOMotorClientSession) -> None:
            await self._touch_partner(grant, session)
            await self._check_trust(grant, session)
            which = {"_id": item, "mailbox": user, "deleted": None}
            deleted = {
                "at": self._clock.now(),
                "application": grant.principal.application,
                "realm": grant.principal.realm,
                "token": grant.token_id,
            }
            found = await self._database[ITEMS].update_one(which, {"$set": {"deleted": deleted}}, session=session)
            if not found.matched_count:
                raise NotFound(f"mailbox {user} has no item {item}")

        with reported("an item cannot be deleted"):
            await self._transact(grant, lambda: (user,), write)
