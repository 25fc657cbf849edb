"""Policies in MongoDB: a history that is only added to, and the hold that lets a change in between commits."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from motor.motor_asyncio import AsyncIOMotorClientSession

from consumers.audit.journal import Act
from consumers.grant import Grant
from consumers.mongo.changes import change_document
from consumers.mongo.digests import document_digest
from consumers.mongo.failures import reported
from consumers.mongo.journal import by
from consumers.mongo.layout import CHECKPOINTS, FENCES, POLICIES
from consumers.mongo.store import MongoStore
from consumers.policy.book import Change
from consumers.policy.ports import check_time, latest
from consumers.policy.subject import Subject
from schemas.policies import PolicyValue

HOLD_S: Final = 30.0
"""How long lanes wait for a change at most; whoever dies amid one holds them up no longer."""

_CUT: Final = timedelta(microseconds=999)
"""What a stored time may have lost."""


class MongoPolicies(MongoStore):
    """The `PolicyStore` on a replica set.

    A commit reads the latest number and moves its lane's checkpoint in one transaction. A change writes every
    checkpoint and fence in its own, so that each commit comes before it, and its events are looked at, or begins anew.
    Lanes commit without a pause, so it asks them to wait first (`held_until`); nothing but its own chance depends on
    that.
    """

    async def history(self) -> Sequence[Change]:
        return await self.policy_changes(0)

    async def change(
        self, grant: Grant, values: Mapping[Subject, PolicyValue | None], effective_at: datetime
    ) -> Sequence[Change]:
        new: list[Change] = []

        async def write(session: AsyncIOMotorClientSession) -> None:
            await self._check_trust(grant, session)
            reached = await self._reached(session)
            check_time(effective_at, reached and reached.replace(tzinfo=UTC) + _CUT)
            last = await self._database[POLICIES].find_one(sort=[("_id", -1)], session=session)
            now = self._clock.now()
            new[:] = [
                Change(number, subject, effective_at, now, str(grant.principal), value)
                for number, (subject, value) in enumerate(values.items(), last["_id"] + 1 if last else 1)
            ]
            written = [change_document(change) for change in new]
            await self._database[POLICIES].insert_many(written, session=session)
            digests = [[document["_id"], document_digest(document)] for document in written]
            act = await self._journal.act(Act.POLICY, {**by(grant, now), "changes": digests}, session)
            for lanes in (FENCES, CHECKPOINTS):
                await self._database[lanes].update_many({}, {"$set": {"act": act}}, session=session)

        until = self._clock.now() + timedelta(seconds=HOLD_S)
        with reported("policies cannot be changed"):
            try:
                await self._transact(grant, tuple, write, ready=lambda: self._hold(until))
            finally:
                for lanes in (FENCES, CHECKPOINTS):
                    await self._database[lanes].update_many({"held_until": until}, {"$unset": {"held_until": ""}})
        return tuple(new)

    async def _reached(self, session: AsyncIOMotorClientSession) -> datetime | None:
        """Return the latest event time of all lanes, and of all that was redriven."""
        points = self._database[CHECKPOINTS].find({}, {"watermark": 1, "redriven": 1}, session=session)
        return latest(*[point.get(name) async for point in points for name in ("watermark", "redriven")])

    async def _hold(self, until: datetime) -> None:
        """Ask every lane that there is by now to wait."""
        for lanes in (FENCES, CHECKPOINTS):
            await self._database[lanes].update_many({}, {"$set": {"held_until": until}})
