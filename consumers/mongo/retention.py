"""Purges and sweeps in MongoDB: each of one conversation, in one transaction with the journal's entry that says so."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import UpdateOne

from consumers.audit.journal import Act
from consumers.grant import Grant
from consumers.mongo.changes import check_policies
from consumers.mongo.digests import document_digest
from consumers.mongo.documents import attachment_id, conversation_of
from consumers.mongo.failures import reported
from consumers.mongo.journal import by
from consumers.mongo.layout import (
    ATTACHMENTS,
    CHECKPOINTS,
    CONVERSATIONS,
    ITEMS,
    MAILBOXES,
    PURGE_RUNS,
    PURGES,
    SEGMENTS,
    Document,
)
from consumers.mongo.store import MongoStore
from consumers.mongo.tombstones import tombstone_document
from consumers.policy.decision import Target
from consumers.policy.ports import Purge, Reason, Unclaimed
from consumers.policy.retention import ArchivedCopy, Remains
from consumers.ports import Stale
from consumers.transitions import Kind

ACTS: Final = {Reason.SWEEP: Act.SWEEP, Reason.PURGE: Act.PURGE}

QUERIES: Final[dict[Unclaimed, list[Document]]] = {
    Unclaimed.UNKEPT: [{"kind": str(Kind.CONFERENCE), "kept": False}],
    Unclaimed.PURGED: [{"kind": str(kind), "purged": {"$exists": True}} for kind in Kind],
}
"""One for each range of an index; a tombstone has neither field."""

_DAILY: Final = "daily"
_LYNC: Final = str(Target.LYNC)
_LAST: Final = 2**63 - 1


class MongoRetention(MongoStore):
    """The `RetentionStore` on a replica set.

    A purge writes its conversation's document, as every commit that adds to it does, and the head of the acts, as every
    change of policies does: of two at one time, one begins anew and finds what it decided by to be another.
    """

    async def unclaimed(self, which: Unclaimed, after: str, at_most: int) -> Sequence[Remains]:
        found: list[Document] = []
        with reported("conversations cannot be read"):
            for query in QUERIES[which]:
                cursor = self._database[CONVERSATIONS].find(
                    {**query, "_id": {"$gt": after}}, sort=[("_id", 1)], limit=at_most
                )
                found += await cursor.to_list(None)
            return await self._remains(sorted(found, key=lambda one: one["_id"].encode())[:at_most])

    async def archived(
        self, before: datetime, after: tuple[datetime | None, str] | None, at_most: int
    ) -> Sequence[Remains]:
        page: list[Remains] = []
        with reported("archived copies cannot be read"):
            while not page and (started := await self._begun(before, after, at_most)):
                found = {one["_id"]: one for one in await self._conversations(list(started))}
                remains = await self._remains([found[name] for name in started if name in found])
                page = [one._replace(started=started[one.conversation.id]) for one in remains]
                name, at = list(started.items())[-1]
                after = at, name  # where all of them were removed since, what is behind them is the page
        return page

    async def _begun(
        self, before: datetime, after: tuple[datetime | None, str] | None, at_most: int
    ) -> dict[str, datetime | None]:
        """Return conversations that have copies in Lync, and when each began, in this order."""
        query: Document = {"target": _LYNC, "started": {"$not": {"$gte": before}}}
        if after is not None:
            query = {"$and": [query, _behind(*after)]}
        order = [("started", 1), ("conversation", 1)]
        shown = {"conversation": 1, "started": 1}
        copies = await self._database[PURGES].find(query, shown, sort=order, limit=at_most).to_list(None)
        return {copy["conversation"]: _aware(copy["started"]) for copy in copies}

    async def look(self, conversation: str) -> Remains | None:
        with reported("a conversation cannot be read"):
            found = await self._remains(await self._conversations([conversation]))
        return found[0] if found else None

    async def purge(self, grant: Grant, purge: Purge) -> None:
        with reported(f"conversation {purge.conversation} cannot be purged"):
            await self._transact(
                grant, lambda: purge.mailboxes, lambda session: self._write_purge(grant, purge, session)
            )

    async def daily_ran(self) -> datetime | None:
        with reported("the last daily purge cannot be read"):
            found = await self._database[PURGE_RUNS].find_one({"_id": _DAILY})
        return _aware(found["at"]) if found else None

    async def note_daily(self, at: datetime) -> None:
        with reported("a daily purge cannot be noted"):
            await self._database[PURGE_RUNS].update_one({"_id": _DAILY}, {"$max": {"at": at}}, upsert=True)

    async def mark_exported(self, grant: Grant, segments: Mapping[str, int]) -> int:
        marked: list[list[str]] = []

        async def write(session: AsyncIOMotorClientSession) -> None:
            await self._check_trust(grant, session)
            now = self._clock.now()
            there = self._database[PURGES].find({"_id": {"$in": list(segments)}}, {"exported": 1}, session=session)
            exported = {
                one["_id"]: _exported(grant, now, segments[one["_id"]])
                async for one in there
                if one.get("exported", {}).get("segments") != segments[one["_id"]]
            }
            marked[:] = [[name, document_digest(exported[name])] for name in sorted(exported)]
            if marked:
                marks = [UpdateOne({"_id": name}, {"$set": {"exported": mark}}) for name, mark in exported.items()]
                await self._database[PURGES].bulk_write(marks, ordered=False, session=session)
                await self._journal.act(Act.EXPORT, {**by(grant, now), "copies": marked}, session)

        with reported("copies cannot be marked as exported"):
            await self._transact(grant, tuple, write)
        return len(marked)

    async def _write_purge(self, grant: Grant, purge: Purge, session: AsyncIOMotorClientSession) -> None:
        await self._check_trust(grant, session)
        await check_policies(self._database, purge, session)
        now, which = self._clock.now(), {"_id": purge.conversation, "revision": purge.revision}
        before = await self._database[CONVERSATIONS].find_one(which, session=session)
        if before is None or "removed" in before:
            raise Stale("the conversation is at another revision")
        facts = {**by(grant, now), "conversation": purge.conversation}
        if purge.mailboxes:
            copies = {"conversation": purge.conversation, "mailbox": {"$in": list(purge.mailboxes)}, "target": _LYNC}
            deleted = await self._database[PURGES].delete_many(copies, session=session)
            if deleted.deleted_count != len(purge.mailboxes):
                raise Stale("a copy is not in Lync's archive any more")
            facts["mailboxes"] = sorted(purge.mailboxes)
        if purge.frees:
            tombstone = await self._remove(before, now, purge.reason, session)
            facts |= {"removed": document_digest(tombstone), "named": await self._named(before, session)}
        else:
            purged = sorted({*before.get("purged", ()), *purge.mailboxes})
            change = {"$set": {"purged": purged}, "$inc": {"revision": 1}}
            await self._database[CONVERSATIONS].update_one(which, change, session=session)
        await self._journal.act(ACTS[purge.reason], facts, session)

    async def _remove(
        self, before: Document, now: datetime, reason: Reason, session: AsyncIOMotorClientSession
    ) -> Document:
        """Put the tombstone in the place of a conversation that nobody has a claim to, and return it. Raises Stale."""
        name = before["_id"]
        for claims in ((PURGES, {"conversation": name}), (ITEMS, {"conversation": name, "deleted": None})):
            if await self._database[claims[0]].find_one(claims[1], {"_id": 1}, session=session) is not None:
                raise Stale("somebody has a claim to the conversation")
        places = {"$gte": {"conversation": name, "first": 0}, "$lte": {"conversation": name, "first": _LAST}}
        segments = self._database[SEGMENTS].find({"_id": places}, {"events": 0}, sort=[("_id", 1)], session=session)
        tombstone = tombstone_document(before, await segments.to_list(None), now, str(reason))
        await self._database[CONVERSATIONS].replace_one({"_id": name}, tombstone, session=session)
        await self._database[SEGMENTS].delete_many({"_id": places}, session=session)
        files = {"$gte": attachment_id((name, 0)), "$lte": attachment_id((name, _LAST))}
        await self._database[ATTACHMENTS].delete_many({"_id": files}, session=session)
        await self._database[ITEMS].delete_many({"conversation": name}, session=session)
        return tombstone

    async def _named(self, before: Document, session: AsyncIOMotorClientSession) -> list[str]:
        """Return the digests of the names that mailboxes have of a conversation: they stay, and are as this says."""
        people = [member["sip"] for member in before["members"]]
        query = {"_id": {"$in": people}, "named.conversation": before["_id"]}
        found = self._database[MAILBOXES].find(query, {"named": 1}, session=session)
        return sorted([document_digest(mailbox) async for mailbox in found])

    async def _conversations(self, names: list[str]) -> list[Document]:
        query = {"_id": {"$in": names}, "removed": None}
        return await self._database[CONVERSATIONS].find(query).to_list(None)

    async def _remains(self, found: list[Document]) -> list[Remains]:
        """Join conversations with their copies, their visible items and their lanes, a page of them at once."""
        among = {"conversation": {"$in": [one["_id"] for one in found]}}
        copies: dict[str, list[ArchivedCopy]] = {}
        async for copy in self._database[PURGES].find(among, sort=[("_id", 1)]):
            copies.setdefault(copy["conversation"], []).append(_copy_of(copy))
        visible = self._database[ITEMS].find({**among, "deleted": None}, {"conversation": 1})
        seen = {item["conversation"] async for item in visible}
        lanes = {"_id": {"$in": list({one["lane"] for one in found})}}
        watermarks = {
            point["_id"]: _aware(point["watermark"]) async for point in self._database[CHECKPOINTS].find(lanes)
        }
        return [
            Remains(
                conversation=conversation_of(one),
                copies=tuple(copies.get(one["_id"], ())),
                seen=one["_id"] in seen,
                watermark=watermarks.get(one["lane"]),
            )
            for one in found
        ]


def _copy_of(document: Document) -> ArchivedCopy:
    segments = document.get("exported", {}).get("segments")
    return ArchivedCopy(document["_id"], document["mailbox"], Target(document["target"]), segments)


def _exported(grant: Grant, now: datetime, segments: int) -> Document:
    return {"at": now, "by": str(grant.principal), "token": grant.token_id, "segments": segments}


def _behind(started: datetime | None, conversation: str) -> Document:
    """Copies behind this place. Null starts sort before all dates, and `$gt` compares within a type."""
    same = {"started": started, "conversation": {"$gt": conversation}}
    later: dict[str, Any] = {"$gt": started} if started is not None else {"$ne": None}
    return {"$or": [same, {"started": later}]}


def _aware(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=UTC)
