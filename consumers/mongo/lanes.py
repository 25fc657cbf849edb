"""All lanes' checkpoints in MongoDB, and orders that move one, each in one transaction with its record."""

from collections.abc import Sequence

from motor.motor_asyncio import AsyncIOMotorClientSession

from consumers.audit.journal import Act
from consumers.batch import Checkpoint
from consumers.grant import Grant
from consumers.missing import KeptOrder, SkipOrder
from consumers.mongo import documents
from consumers.mongo.digests import document_digest
from consumers.mongo.failures import reported
from consumers.mongo.journal import by
from consumers.mongo.layout import CHECKPOINTS, ORDERS, Database
from consumers.mongo.store import MongoStore
from consumers.ports import Fenced
from schemas.times import format_time


class MongoLanes(MongoStore):
    """The `LaneStore` on a replica set. Nothing changes or removes an order."""

    @property
    def database(self) -> Database:
        """Where the archive is."""
        return self._database

    async def positions(self) -> Sequence[Checkpoint]:
        with reported("checkpoints cannot be read"):
            found = await self._database[CHECKPOINTS].find().to_list(None)
        return sorted(
            (documents.checkpoint_of(documents.lane_of(one["_id"]), one) for one in found), key=lambda one: one.lane
        )

    async def skip(self, grant: Grant, order: SkipOrder) -> None:
        kept = KeptOrder(order, self._clock.now(), grant.principal, grant.token_id)

        async def write(session: AsyncIOMotorClientSession) -> None:
            await self._move(order, session)
            await self._check_trust(grant, session)
            document = {"_id": f"{order.lane}/{format_time(kept.at)}", **documents.order_document(kept)}
            await self._database[ORDERS].insert_one(document, session=session)
            facts = {
                **by(grant, kept.at),
                "order": document["_id"],
                "digest": document_digest(document),
                "lane": str(order.lane),
                "start": order.start,
                "to": order.to,
                **documents.log_document(order.after),
            }
            await self._journal.act(Act.SKIP, facts, session)

        with reported(f"an order for {order.lane} cannot be kept"):
            await self._transact(grant, tuple, write)

    async def _move(self, order: SkipOrder, session: AsyncIOMotorClientSession) -> None:
        """Move the checkpoint, which is the fence, and which conflicts with commits and with any change of trust."""
        before = {
            "_id": str(order.lane),
            "next": order.start,
            "topic_id": order.before.topic_id,
            "log": order.before.number or {"$in": [0, None]},
        }
        change = {"$set": {"next": order.to, **documents.log_document(order.after)}}
        moved = await self._database[CHECKPOINTS].update_one(before, change, session=session)
        if not moved.matched_count:
            raise Fenced(f"the checkpoint of {order.lane} is not where the order was made for")

    async def orders(self) -> Sequence[KeptOrder]:
        with reported("orders cannot be read"):
            found = await self._database[ORDERS].find().sort([("at", 1), ("_id", 1)]).to_list(None)
        return [documents.order_of(document) for document in found]
