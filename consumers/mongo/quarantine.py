"""The quarantine in MongoDB: redrives and discards, each in one transaction with all that it changes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import UpdateOne

from consumers.audit.journal import ACTS, Act
from consumers.batch import LaneId
from consumers.content import ContentState, Place
from consumers.grant import Grant
from consumers.mongo import documents
from consumers.mongo.changes import check_policies
from consumers.mongo.digests import document_digest
from consumers.mongo.failures import reported
from consumers.mongo.journal import archived_facts, by
from consumers.mongo.layout import ATTACHMENTS, CHECKPOINTS, OPEN, PURGES, QUARANTINE, Document
from consumers.mongo.store import MongoStore
from consumers.ports import NotQuarantined, Stale
from consumers.quarantine import Handling, QuarantineEntry, State
from consumers.redrive import Redrive, Result
from schemas.errors import Cause, Misconfigured
from schemas.times import format_time


class MongoQuarantine(MongoStore):
    """The `QuarantineStore` on a replica set, beside the archive that it writes as lanes do.

    What it does is an act of the journal, as a change of trust is: of two at one time, one waits or begins anew.
    """

    async def stubs(self, places: Iterable[Place]) -> frozenset[Place]:
        names = [documents.attachment_id(place) for place in places]
        query = {"_id": {"$in": names}, "state": {"$ne": str(ContentState.STORED)}}
        with reported("attachments cannot be read"):
            found = await self._database[ATTACHMENTS].find(query, {"_id": 1}).to_list(None)
        return frozenset((one["_id"]["conversation"], one["_id"]["sequence"]) for one in found)

    async def lanes(self) -> Sequence[LaneId]:
        with reported("checkpoints cannot be read"):
            found = await self._database[CHECKPOINTS].find({}, {"_id": 1}).to_list(None)
        return sorted(documents.lane_of(document["_id"]) for document in found)

    async def page(
        self, lane: LaneId, cause: Cause | None, after: tuple[int, int], entries_max: int, bytes_max: int
    ) -> Sequence[QuarantineEntry]:
        offset, log = after
        meant: Document = {
            "topic": lane.topic,
            "partition": lane.partition,
            "offset": {"$gte": offset},
            "$or": [{"offset": {"$gt": offset}}, {"log": {"$gt": log}}],
            "state": OPEN,
        }
        if cause is not None:
            meant["cause"] = str(cause)
        found: list[QuarantineEntry] = []
        size = 0
        cursor = self._database[QUARANTINE].find(
            meant, sort=[("offset", 1), ("log", 1)], limit=entries_max, batch_size=10
        )
        with reported("the quarantine cannot be read"):
            async for document in cursor:
                found.append(documents.quarantine_entry_of(document))
                record = found[-1].entry.record
                size += len(record.key or b"") + len(record.value or b"")
                if size >= bytes_max:
                    break
        return found

    async def find(self, ids: Collection[str]) -> Mapping[str, QuarantineEntry]:
        with reported("the quarantine cannot be read"):
            found = await self._database[QUARANTINE].find({"_id": {"$in": list(ids)}}).to_list(None)
        return {document["_id"]: documents.quarantine_entry_of(document) for document in found}

    async def redrive(self, grant: Grant, redrive: Redrive) -> None:
        batch = redrive.batch
        with reported(f"a redrive of {batch.lane} cannot be committed"):
            await self._transact(grant, redrive.reached, lambda session: self._write_redrive(grant, redrive, session))

    async def discard(self, grant: Grant, ids: Collection[str], reason: str) -> None:
        async def write(session: AsyncIOMotorClientSession) -> None:
            now = self._clock.now()
            handled = Handling(now, grant.principal, grant.token_id, reason=reason)
            change = {"state": str(State.DISCARDED), "handled": documents.handling_document(handled)}
            changes = {name: ({"_id": name, "state": OPEN}, change) for name in ids}
            await self._check_trust(grant, session)
            names = {"_id": {"$in": list(ids)}, "state": OPEN}
            there = {one["_id"] async for one in self._database[QUARANTINE].find(names, {"_id": 1}, session=session)}
            for name in ids:
                if name not in there:
                    raise NotQuarantined(f"{name} is not in quarantine; nothing is discarded")
            moved = await self._change_entries(changes, session)
            assert moved is not None
            await self._journal.act(Act.DISCARD, {**by(grant, now), "entries": moved}, session)

        with reported("entries cannot be discarded"):
            await self._transact(grant, tuple, write)

    async def _write_redrive(self, grant: Grant, redrive: Redrive, session: AsyncIOMotorClientSession) -> None:
        batch = redrive.batch
        now = self._clock.now()
        await self._check_trust(grant, session)
        moved = await self._change_entries(dict(self._changes(grant, now, redrive.results)), session)
        if moved is None:
            raise Stale("an entry was handled in the meantime")
        await self._move_counts(redrive, session)
        await check_policies(self._database, batch, session)
        facts = {
            **by(grant, now),
            "lane": str(batch.lane),
            "moved": list(redrive.moved),
            "reached": batch.watermark and format_time(batch.watermark),
            "entries": moved,
            "healed": sorted([one.conversation, one.sequence] for one in redrive.healed),
            **archived_facts(batch),
        }
        number = await self._journal.act(Act.REDRIVE, facts, session)
        referred = {one.claim.sha256 for one in redrive.healed}
        await self._write_archived(grant, batch, (ACTS, number), session, redrive.present(), referred)
        await self._heal(redrive, session)
        await self._mailboxes.make(batch.mailboxes)  # last, as in a commit

    async def _change_entries(
        self, changes: Mapping[str, tuple[Document, Document]], session: AsyncIOMotorClientSession
    ) -> list[list[Any]] | None:
        """Make these changes, each a query and what is set; this is the fence of a redrive.

        Return what each entry was before (cause, detail, tries) and the digest of what it is now; None where one is
        not as its change expects it.
        """
        quarantine = self._database[QUARANTINE]
        names = {"_id": {"$in": list(changes)}}
        before = {one["_id"]: one async for one in quarantine.find(names, session=session)}
        updates = [UpdateOne(query, {"$set": change}) for query, change in changes.values()]
        result = await quarantine.bulk_write(updates, ordered=False, session=session)
        if result.matched_count != len(changes):
            return None
        return [
            [name, was["cause"], was["detail"], was.get("tries", 0), document_digest(was | changes[name][1])]
            for name, was in sorted(before.items())
        ]

    async def _heal(self, redrive: Redrive, session: AsyncIOMotorClientSession) -> None:
        stored = str(ContentState.STORED)
        changes = [
            UpdateOne(
                {"_id": documents.attachment_id((one.conversation, one.sequence)), "state": {"$ne": stored}},
                {"$set": {"state": stored}},
            )
            for one in redrive.healed
        ]
        if changes:
            result = await self._database[ATTACHMENTS].bulk_write(changes, ordered=False, session=session)
            if result.matched_count != len(changes):
                raise Stale("an attachment was healed in the meantime")
            names = {one.conversation for one in redrive.healed}  # what was exported says that the file is not there
            copies = {"conversation": {"$in": sorted(names)}, "exported": {"$exists": True}}
            await self._database[PURGES].update_many(copies, {"$unset": {"exported": ""}}, session=session)

    async def _move_counts(self, redrive: Redrive, session: AsyncIOMotorClientSession) -> None:
        lane, reached = {"_id": str(redrive.batch.lane)}, redrive.batch.watermark
        change: Document = {"$inc": dict(redrive.moved._asdict())}
        if reached is not None:
            change["$max"] = {"redriven": reached}
        moved = await self._database[CHECKPOINTS].update_one(lane, change, session=session)
        if not moved.matched_count:
            raise Misconfigured(f"the archive has quarantined records of {redrive.batch.lane}, and no checkpoint of it")

    def _changes(
        self, grant: Grant, now: datetime, results: Iterable[Result]
    ) -> Iterable[tuple[str, tuple[Document, Document]]]:
        for entry, outcome, cause, detail, replacement in results:
            handled = Handling(now, grant.principal, grant.token_id, outcome=outcome, replacement=replacement)
            as_read: dict[str, Any] = {"_id": entry.id, "state": OPEN, "tries": entry.tries or {"$in": [0, None]}}
            change = {
                "state": str(State.REDRIVEN if outcome else State.QUARANTINED),
                "cause": str(cause),
                "detail": detail,
                "tries": entry.tries + 1,
                "handled": documents.handling_document(handled),
            }
            yield entry.id, (as_read, change)
