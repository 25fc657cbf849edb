"""The archive in MongoDB: one fenced transaction a batch."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import ReadPreference, UpdateOne
from pymongo.errors import ConfigurationError, DuplicateKeyError, OperationFailure
from pymongo.read_concern import ReadConcern

from consumers.audit.journal import Entry, Head, Signer
from consumers.batch import Batch, Checkpoint, LaneId, Log
from consumers.content import Claim
from consumers.conversation import Conversation
from consumers.grant import Grant
from consumers.mongo import documents
from consumers.mongo.changes import check_policies, read_changes
from consumers.mongo.content_store import refer
from consumers.mongo.copies import write_copies
from consumers.mongo.failures import codes, reported
from consumers.mongo.first_uses import MongoFirstUses
from consumers.mongo.journal import MongoJournal, by, commit_facts, head_document, head_of
from consumers.mongo.layout import (
    ATTACHMENTS,
    CHECKPOINTS,
    CONVERSATIONS,
    EVERY_LANE,
    FENCES,
    ITEMS,
    PARTNERS,
    QUARANTINE,
    SEGMENTS,
    Collection,
    Database,
    Document,
    content_database,
)
from consumers.mongo.partners import partner_of
from consumers.mongo.rosters import roster_document
from consumers.mongo.transaction import JOURNALED, SOCKET_TIMEOUT_MS, Ready, Write, transacted
from consumers.policy.book import Change
from consumers.ports import Fenced, Stale
from consumers.segment import SEGMENT_EVENTS_MAX
from consumers.tokens.trust import check_trust
from schemas.clock import Clock
from schemas.envelope import Event
from schemas.errors import DependencyUnavailable, Misconfigured
from schemas.fingerprint import fingerprint

SERVER_SELECTION_TIMEOUT_MS: Final = 5_000
"""How long a call waits for a primary before the lane backs off; an election takes less."""

MAJORITY: Final = ReadConcern("majority")

Position = tuple[Log, int]
"""Where a checkpoint stands: a log and an offset of it. No two commits of a lane leave it at the same."""

HELD_RETRY_S: Final = 0.2
"""A change of policies takes about as long as one transaction."""


def connect(uri: str, database: str) -> Database:
    """Return a database handle with explicit concerns. Raises Misconfigured for an address that cannot be read."""
    try:
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            uri,
            serverSelectionTimeoutMS=SERVER_SELECTION_TIMEOUT_MS,
            socketTimeoutMS=SOCKET_TIMEOUT_MS,
            retryWrites=True,
            retryReads=True,
            tz_aware=True,
            appname="lync-archiver",
        )
    except (ConfigurationError, ValueError) as error:
        raise Misconfigured("the MongoDB address cannot be read") from error
    return client.get_database(
        database, read_concern=MAJORITY, write_concern=JOURNALED, read_preference=ReadPreference.PRIMARY
    )


class MongoStore:
    """The `ArchiveStore` on a replica set. `contents` is the database of the files, as for `layout.prepare`.

    Whatever it writes, it writes with an entry of the journal, which `signer` signs.
    """

    def __init__(self, database: Database, clock: Clock, signer: Signer, contents: Database | None = None) -> None:
        self._database = database
        self._journal = MongoJournal(database, signer)
        self._heads: dict[LaneId, tuple[Position, Head]] = {}
        self._contents = contents if contents is not None else content_database(database)
        self._clock = clock
        self._mailboxes = MongoFirstUses(database)
        self._fenced: set[LaneId] = set()

    async def checkpoint(self, lane: LaneId) -> Checkpoint | None:
        with reported("the checkpoint cannot be read"):
            found = await self._database[CHECKPOINTS].find_one({"_id": str(lane)})
        return documents.checkpoint_of(lane, found) if found else None

    async def load(self, conversations: Iterable[str]) -> Mapping[str, Conversation]:
        with reported("conversations cannot be read"):
            found = await self._database[CONVERSATIONS].find({"_id": {"$in": list(conversations)}}).to_list(None)
        return {document["_id"]: documents.conversation_of(document) for document in found}

    async def recall(self, places: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], Event]:
        wanted: dict[str, list[int]] = {}
        for conversation, sequence in places:
            wanted.setdefault(conversation, []).append(sequence)
        recalled = {}
        with reported("segments cannot be read"):
            for conversation, sequences in wanted.items():
                for few in _near(sequences):
                    async for document in self._database[SEGMENTS].find(_segments_at(conversation, few)):
                        for event in documents.segment_of(document).events:
                            if event.sequence in few:
                                recalled[conversation, event.sequence] = event
        if len(recalled) < sum(len(set(sequences)) for sequences in wanted.values()):
            raise Stale("a conversation was removed in the meantime")
        return recalled

    async def policy_changes(self, after: int) -> Sequence[Change]:
        return await read_changes(self._database, after)

    async def commit(self, grant: Grant, batch: Batch) -> None:
        with reported(f"a batch of {batch.lane} cannot be committed"):
            await self._make_fence(batch.lane)
            # Known again only where the outcome is; and of use only where nobody else went on with the lane since.
            place, head = self._heads.pop(batch.lane, (None, None))
            if place != (batch.log, batch.start):
                head = None
            entries: list[Entry] = []

            async def write(session: AsyncIOMotorClientSession) -> None:
                entries.append(await self._write(grant, batch, head, session))

            await self._transact(grant, batch.reached, write)
            self._heads[batch.lane] = (batch.log, batch.end), Head(entries[-1].number, entries[-1].hash)

    async def _make_fence(self, lane: LaneId) -> None:
        """Make the lane's document in `fences`, before any transaction that may have to find it."""
        if lane not in self._fenced:
            # In this order: a change that does not see this lane's fence yet is waited for at the other, or conflicts.
            fences = self._database[FENCES]
            await fences.update_one({"_id": str(lane)}, {"$setOnInsert": {"act": 0}}, upsert=True)
            await fences.update_one({"_id": EVERY_LANE}, {"$set": {"newest": str(lane)}}, upsert=True)
            self._fenced.add(lane)

    async def _transact(
        self, grant: Grant, reached: Callable[[], Iterable[str]], write: Write, ready: Ready | None = None
    ) -> None:
        """Write in one transaction; one that met another's write is begun anew, since nothing of it was written.

        `ready` is awaited before each try.
        """

        async def checked() -> None:
            grant.check(self._clock.now(), reached())
            if ready is not None:
                await ready()

        await transacted(self._database.client, self._clock, write, checked)

    async def _write(self, grant: Grant, batch: Batch, head: Head | None, session: AsyncIOMotorClientSession) -> Entry:
        now = self._clock.now()
        quarantine = [
            documents.quarantine_document(entry, fingerprint(entry.record)) | {"quarantined_at": now}
            for entry in batch.quarantine
        ]
        entry = self._journal.commit(
            batch.lane,
            await self._head(batch.lane, session) if head is None else head,
            {**by(grant, now), **commit_facts(batch, quarantine)},
        )
        await self._move_checkpoint(batch, entry, session)  # 1: the fence, before all that a stale lane could trip on
        await self._check_trust(grant, session)
        await check_policies(self._database, batch, session)
        await self._write_archived(grant, batch, (entry.chain, entry.number), session, batch.present())
        if quarantine:  # 5
            await self._database[QUARANTINE].insert_many(quarantine, ordered=False, session=session)
        await self._journal.insert(entry, session)  # 6
        await self._mailboxes.make(batch.mailboxes)  # last: a batch that is stale makes none
        return entry

    async def _write_archived(
        self,
        grant: Grant,
        batch: Batch,
        entry: tuple[str, int],
        session: AsyncIOMotorClientSession,
        present: Iterable[Claim],
        referred: Iterable[str] = (),
    ) -> None:
        """Write what a commit and a redrive have in common; segments say which entry of the journal is theirs."""
        added = dict(zip(("chain", "entry"), entry, strict=True))
        segments = [documents.segment_document(segment) | added for segment in batch.segments]
        await self._insert(SEGMENTS, segments, session)  # 2
        await refer(self._contents, present, batch.referred().union(referred), session)
        await self._insert(ATTACHMENTS, [documents.attachment_document(one) for one in batch.attachments], session)
        await self._move_conversations(batch, session)  # 3
        await self._write_items(grant, batch, session)  # 4
        await write_copies(self._database, grant, batch, session)

    async def _head(self, lane: LaneId, session: AsyncIOMotorClientSession) -> Head:
        """Read the head of a lane's chain."""
        found = await self._database[CHECKPOINTS].find_one({"_id": str(lane)}, {"entry": 1}, session=session)
        return head_of(found.get("entry") if found else None)

    async def _check_trust(self, grant: Grant, session: AsyncIOMotorClientSession) -> None:
        """Ask the partner behind the grant, as of the moment that the whole transaction sees."""
        found = await self._database[PARTNERS].find_one({"_id": str(grant.principal)}, session=session)
        check_trust(grant, partner_of(found) if found else None)

    async def _move_checkpoint(self, batch: Batch, entry: Entry, session: AsyncIOMotorClientSession) -> None:
        checkpoints: Collection = self._database[CHECKPOINTS]
        head = {"entry": head_document(Head(entry.number, entry.hash))}
        change = {
            "$set": {"next": batch.end, "watermark": batch.watermark, **documents.log_document(batch.log), **head},
            "$inc": dict(batch.counts._asdict()),
        }
        free = {"held_until": {"$not": {"$gt": self._clock.now()}}}
        start = {"_id": str(batch.lane), "next": batch.start, **_fence_of(batch.log)}
        moved = await checkpoints.update_one(start | free, change, session=session)
        if moved.matched_count == 1:
            return
        if await checkpoints.find_one(start, session=session) is not None:
            raise DependencyUnavailable(f"{batch.lane} waits while policies are changed", HELD_RETRY_S)
        if await checkpoints.find_one({"_id": str(batch.lane)}, session=session) is not None:
            raise Fenced(f"the checkpoint of {batch.lane} is not at {batch.start}")
        # A change of trust or of policies touches every checkpoint there is; one in the making has to conflict with
        # it elsewhere.
        fence = {"_id": str(batch.lane)} | free
        touched = await self._database[FENCES].update_one(fence, {"$set": {"began": batch.start}}, session=session)
        if not touched.matched_count:
            raise DependencyUnavailable(f"{batch.lane} waits while policies are changed", HELD_RETRY_S)
        first = {"_id": str(batch.lane), "next": batch.end, "watermark": batch.watermark, "start": batch.start}
        first |= documents.log_document(batch.log) | head
        try:
            await checkpoints.insert_one(first | batch.counts._asdict(), session=session)
        except DuplicateKeyError as error:
            raise Fenced(f"another process began {batch.lane}") from error

    async def _move_conversations(self, batch: Batch, session: AsyncIOMotorClientSession) -> None:
        """Insert new conversations; of the others write what always changes, and the rest where it did."""
        new: list[Document] = []
        moves: list[UpdateOne] = []
        for conversation in batch.conversations:
            document = documents.conversation_document(conversation, batch.lane)
            if conversation.revision == 1 or conversation.id in batch.rosters:
                document |= roster_document(conversation)
            if conversation.revision == 1:
                new.append({"_id": conversation.id, **document})
            else:
                before = {"_id": conversation.id, "revision": conversation.revision - 1}
                moves.append(UpdateOne(before, {"$set": document}))
        await self._insert(CONVERSATIONS, new, session)
        if moves:
            result = await self._database[CONVERSATIONS].bulk_write(moves, ordered=False, session=session)
            if result.matched_count != len(moves):
                raise Stale("a stored conversation is at another revision")

    async def _write_items(self, grant: Grant, batch: Batch, session: AsyncIOMotorClientSession) -> None:
        """A new conversation's items are new; any other item may be there. Each says who wrote it last.

        One that lapsed stays where its user deleted it: what shows it again does not bring it back.
        """
        written_by = documents.writer_document(grant)
        new = {conversation.id for conversation in batch.conversations if conversation.revision == 1}
        inserts: list[Document] = []
        upserts: list[UpdateOne] = []
        for item in batch.items:
            document = {**documents.item_document(item), "written_by": written_by}
            if item.conversation in new:
                inserts.append({"_id": item.id, **document})
            else:
                upserts.append(UpdateOne({"_id": item.id}, {"$set": document}, upsert=True))
        await self._insert(ITEMS, inserts, session)
        if upserts:
            await self._database[ITEMS].bulk_write(upserts, ordered=False, session=session)
        if batch.lapsed:
            lapsed = {"_id": {"$in": list(batch.lapsed)}, "deleted": None}
            await self._database[ITEMS].delete_many(lapsed, session=session)

    async def _insert(self, name: str, new: list[Document], session: AsyncIOMotorClientSession) -> None:
        """Insert documents, if any; one that is there already was written by somebody else in the meantime."""
        if not new:
            return
        try:
            await self._database[name].insert_many(new, ordered=False, session=session)
        except OperationFailure as error:
            if _DUPLICATE_KEY in codes(error):
                raise Stale(f"one of the {name} is stored already") from error
            raise


def _fence_of(log: Log) -> Document:
    """Match a checkpoint in this log; one of an earlier release names no topic and takes this one's."""
    number: Any = log.number or {"$in": [0, None]}
    return {"topic_id": {"$in": [log.topic_id, None]}, "log": number}


def _near(sequences: list[int]) -> Iterator[set[int]]:
    """Split sequences into groups that lie close together, so that what lies between is not read."""
    group: list[int] = []
    for sequence in sorted(sequences):
        if group and sequence - group[-1] > SEGMENT_EVENTS_MAX:
            yield set(group)
            group = []
        group.append(sequence)
    yield set(group)


def _segments_at(conversation: str, sequences: set[int]) -> dict[str, Any]:
    """Segments are disjoint and of bounded length, so those at some sequences begin in one bounded range of _id."""
    low, high = min(sequences) - SEGMENT_EVENTS_MAX, max(sequences)
    return {
        "_id": {
            "$gt": {"conversation": conversation, "first": low},
            "$lte": {"conversation": conversation, "first": high},
        },
        "last": {"$gte": min(sequences)},
    }


_DUPLICATE_KEY: Final = 11000
