"""The reading side in MongoDB: every query bounded, and by an index."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from consumers.batch import Checkpoint
from consumers.content import Attachment
from consumers.conversation import Conversation
from consumers.folder import TREE, FolderId
from consumers.item import Item
from consumers.mongo import documents
from consumers.mongo.failures import reported
from consumers.mongo.layout import (
    ATTACHMENTS,
    CHECKPOINTS,
    CONVERSATIONS,
    ITEMS,
    MAILBOXES,
    OPEN,
    QUARANTINE,
    SEGMENTS,
    Database,
    Document,
)
from consumers.quarantine import QuarantineEntry, State
from consumers.reading import FolderCount, ListedItem, Mailbox, NotFound, QuarantineQuery
from schemas.envelope import Event

CURSOR_DOCUMENTS: Final = 100
"""Documents that a stream has in memory at once."""

_PAGE_ORDER: Final = [("started", 1), ("_id", 1)]


class MongoReader:
    """The `ArchiveReader` on a replica set."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mailboxes(self) -> AsyncIterator[Mailbox]:
        # Page by page: whoever reads whole mailboxes in between may take longer than a server keeps a cursor.
        last: str | None = None
        with reported("mailboxes cannot be read"):
            while page := await self._mailbox_page(last):
                for document in page:
                    last = document["_id"]
                    items = await self._database[ITEMS].count_documents({"mailbox": last, "deleted": None})
                    yield Mailbox(document["_id"], document["named"]["name"], items)

    async def folders(self, user: str) -> Sequence[FolderCount]:
        with reported("folders cannot be read"):
            mailbox = await self._mailbox(user)
            return [
                FolderCount(
                    FolderId(folder["id"]),
                    folder["name"],
                    folder["parent"] and FolderId(folder["parent"]),
                    await self._database[ITEMS].count_documents(
                        {"mailbox": user, "folder": folder["id"], "deleted": None}
                    ),
                )
                for folder in mailbox["folders"]
            ]

    async def items(
        self, user: str, folder: FolderId | None, after: str | None, items_max: int
    ) -> Sequence[ListedItem]:
        with reported("items cannot be read"):
            await self._mailbox(user)
            query = _in_folders(user, folder)
            if after is not None:
                query |= _after(await self._item(user, after))
            found = self._database[ITEMS].find(query, sort=_PAGE_ORDER, limit=items_max)
            return await self._listed(await found.to_list(None), members=False)

    async def item(self, user: str, item: str) -> ListedItem:
        with reported("an item cannot be read"):
            return (await self._listed([await self._item(user, item)], members=True))[0]

    async def all_items(self, user: str) -> AsyncIterator[ListedItem]:
        with reported("items cannot be read"):
            page: list[Document] = []
            async for document in self._database[ITEMS].find(_in_folders(user, None), sort=_PAGE_ORDER):
                page.append(document)
                if len(page) == CURSOR_DOCUMENTS:
                    for listed in await self._listed(page, members=True):
                        yield listed
                    page = []
            for listed in await self._listed(page, members=True):
                yield listed

    async def items_among(self, user: str, ids: Sequence[str]) -> Mapping[str, ListedItem]:
        with reported("items cannot be read"):
            found = self._database[ITEMS].find({"_id": {"$in": list(ids)}, "mailbox": user, "deleted": None})
            listed = await self._listed(await found.to_list(None), members=True)
        return {one.item.id: one for one in listed}

    async def events(self, conversation: str) -> AsyncIterator[Event]:
        bounds = {"$gte": _place(conversation, 0), "$lte": _place(conversation, 2**63 - 1)}
        with reported("segments cannot be read"):
            async for document in self._database[SEGMENTS].find({"_id": bounds}, sort=[("_id", 1)], batch_size=10):
                for event in documents.segment_of(document).events:
                    yield event

    async def attachments(self, conversation: str) -> Mapping[int, Attachment]:
        low, high = (documents.attachment_id((conversation, sequence)) for sequence in (0, 2**63 - 1))
        with reported("attachments cannot be read"):
            found = await self._database[ATTACHMENTS].find({"_id": {"$gte": low, "$lte": high}}).to_list(None)
        return {document["_id"]["sequence"]: documents.attachment_of(document) for document in found}

    async def owners(self, conversations: Sequence[str]) -> Mapping[str, Sequence[Item]]:
        owners: dict[str, list[Item]] = {}
        with reported("items cannot be read"):
            async for document in self._database[ITEMS].find({"conversation": {"$in": list(conversations)}}):
                owners.setdefault(document["conversation"], []).append(documents.item_of(document))
        return owners

    async def conversations(self, names: Sequence[str]) -> Mapping[str, Conversation]:
        with reported("conversations cannot be read"):
            found = await self._database[CONVERSATIONS].find({"_id": {"$in": list(names)}}).to_list(None)
        return {document["_id"]: documents.conversation_of(document) for document in found}

    async def checkpoints(self) -> Sequence[Checkpoint]:
        with reported("checkpoints cannot be read"):
            found = await self._database[CHECKPOINTS].find(sort=[("_id", 1)]).to_list(None)
        return [documents.checkpoint_of(documents.lane_of(document["_id"]), document) for document in found]

    async def quarantine(self, query: QuarantineQuery) -> AsyncIterator[QuarantineEntry]:
        found = self._database[QUARANTINE].find(_meant(query), sort=[("quarantined_at", -1)], batch_size=10)
        with reported("the quarantine cannot be read"):
            async for document in found:
                yield documents.quarantine_entry_of(document)

    async def quarantined(self, entry: str) -> QuarantineEntry:
        with reported("the quarantine cannot be read"):
            found = await self._database[QUARANTINE].find_one({"_id": entry})
        if found is None:
            raise NotFound(f"the quarantine holds no record {entry}")
        return documents.quarantine_entry_of(found)

    async def quarantined_fingerprints(self, fingerprints: Sequence[bytes]) -> Mapping[bytes, int]:
        counts: dict[bytes, int] = {}
        query = {"fingerprint": {"$in": list(fingerprints)}, "state": OPEN}
        with reported("the quarantine cannot be read"):
            async for document in self._database[QUARANTINE].find(query, {"fingerprint": 1}):
                mark = bytes(document["fingerprint"])
                counts[mark] = counts.get(mark, 0) + 1
        return counts

    async def _mailbox_page(self, after: str | None) -> list[Document]:
        query = {} if after is None else {"_id": {"$gt": after}}
        return await self._database[MAILBOXES].find(query, sort=[("_id", 1)], limit=CURSOR_DOCUMENTS).to_list(None)

    async def _mailbox(self, user: str) -> Document:
        found = await self._database[MAILBOXES].find_one({"_id": user})
        if found is None:
            raise NotFound(f"there is no mailbox {user}")
        return found

    async def _item(self, user: str, item: str) -> Document:
        found = await self._database[ITEMS].find_one({"_id": item})
        if found is None or found["mailbox"] != user or found.get("deleted"):
            raise NotFound(f"mailbox {user} has no item {item}")
        return found

    async def _listed(self, items: list[Document], *, members: bool) -> list[ListedItem]:
        """Join items with their conversations, at most a page of them at once."""
        names = list({item["conversation"] for item in items})
        projection = None if members else {"members": 0, "undelivered": 0}
        found = self._database[CONVERSATIONS].find({"_id": {"$in": names}}, projection)
        conversations = {document["_id"]: document async for document in found}
        lanes = list({document["lane"] for document in conversations.values()})
        marks = self._database[CHECKPOINTS].find({"_id": {"$in": lanes}}, {"watermark": 1})
        watermarks = {document["_id"]: document["watermark"] async for document in marks}
        return [
            ListedItem(
                documents.item_of(item),
                documents.conversation_of(conversations[item["conversation"]]),
                watermarks.get(conversations[item["conversation"]]["lane"]),
            )
            for item in items
        ]


def _in_folders(user: str, folder: FolderId | None) -> Document:
    """All folders are named, so that the index is read in page order from each and merged.

    What its user deleted is out, and the hidden folder is none of them.
    """
    folders = [str(folder)] if folder else [str(known.id) for known in TREE]
    return {"mailbox": user, "folder": {"$in": folders}, "deleted": None}


def _after(item: Document) -> Document:
    """Items behind this one, in page order. Null starts sort before all dates, and `$gt` compares within a type."""
    same = {"started": item["started"], "_id": {"$gt": item["_id"]}}
    later = {"started": {"$gt": item["started"]}} if item["started"] is not None else {"started": {"$ne": None}}
    return {"$or": [same, later]}


def _place(conversation: str, first: int) -> Document:
    return {"conversation": conversation, "first": first}


def _meant(query: QuarantineQuery) -> Document:
    meant: Document = {} if query.cause is None else {"cause": str(query.cause)}
    match query.state:
        case None:
            pass
        case State.QUARANTINED:
            meant["state"] = OPEN
        case state:
            meant["state"] = str(state)
    bounds = {"$gte": query.since, "$lt": query.until}
    times = {operator: moment for operator, moment in bounds.items() if moment is not None}
    return meant | ({"quarantined_at": times} if times else {})
