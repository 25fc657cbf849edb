"""The store's layout: its version, its collections, every index, and the refusal to run on one that does not fit."""

from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import CollectionInvalid, OperationFailure

from consumers.audit.journal import ACTS, START
from consumers.audit.journal import SESSIONS as SESSIONS_CHAIN
from consumers.mongo.failures import reported
from schemas.errors import Misconfigured

Document = dict[str, Any]
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]

LAYOUT_VERSION: Final = 4
"""Raised with every change that an older release could not read or write correctly."""

OLDEST_READABLE: Final = 1
"""The oldest layout that this release can work on."""

SEGMENTS: Final = "segments"
CONVERSATIONS: Final = "conversations"
ITEMS: Final = "items"
MAILBOXES: Final = "mailboxes"
CHECKPOINTS: Final = "checkpoints"
QUARANTINE: Final = "quarantine"
FENCES: Final = "fences"
PARTNERS: Final = "partners"
SESSIONS: Final = "sessions"
ORDERS: Final = "orders"
LAYOUT: Final = "layout"
POLICIES: Final = "policies"
PURGES: Final = "purges"
PROBES: Final = "probes"
JOURNAL: Final = "journal"
HEADS: Final = "heads"
PURGE_RUNS: Final = "purge_runs"

EVERY_LANE: Final = "*"
"""The fence that is touched as any lane's own is made: a change does not see those that are made meanwhile."""
ATTACHMENTS: Final = "attachments"

FILES: Final = "fs.files"
CHUNKS: Final = "fs.chunks"
"""The collections of the content database, as GridFS names them."""

ARCHIVES: Final = "archives"
"""In the content database: the archives whose files it has. Several are of one after a rebuild."""

CONTENT_SUFFIX: Final = "_content"
"""What the name of the content database has beyond that of the archive's, where none is set."""
ORIGIN: Final = "origin"

OPEN: Final[Document] = {"$in": ["quarantined", None]}
"""The `state` of entries that are in quarantine still; those of the first layout have none."""

INDEXES: Final[dict[str, list[IndexModel]]] = {
    # those without an index are looked up by _id alone; orders are few
    SEGMENTS: [],
    CONVERSATIONS: [
        # what a sweep looks at; neither moves with commits
        IndexModel([("kind", ASCENDING), ("kept", ASCENDING), ("_id", ASCENDING)], name="kept"),
        IndexModel(
            [("kind", ASCENDING), ("_id", ASCENDING)],
            name="purged",
            partialFilterExpression={"purged": {"$exists": True}},
        ),
    ],
    MAILBOXES: [],
    CHECKPOINTS: [],
    FENCES: [],
    JOURNAL: [],
    HEADS: [],
    PURGE_RUNS: [],
    POLICIES: [],
    # whose copies of a conversation there are: a sweep, a purge; and what an auditor reads of a mailbox
    PURGES: [
        IndexModel([("conversation", ASCENDING)], name="conversation"),
        IndexModel([("mailbox", ASCENDING), ("started", ASCENDING), ("_id", ASCENDING)], name="mailbox"),
        IndexModel([("target", ASCENDING), ("started", ASCENDING), ("conversation", ASCENDING)], name="oldest"),
    ],
    PROBES: [],
    PARTNERS: [],
    ORDERS: [],
    SESSIONS: [IndexModel([("at", DESCENDING), ("_id", DESCENDING)], name="time")],
    ITEMS: [
        # one page of a folder, by start and id; a page of several folders merges their ranges
        IndexModel(
            [("mailbox", ASCENDING), ("folder", ASCENDING), ("started", ASCENDING), ("_id", ASCENDING)],
            name="folder_page",
        ),
        # who has an item of a conversation: verification, and later deletion
        IndexModel([("conversation", ASCENDING)], name="conversation"),
    ],
    # who refers to a file
    ATTACHMENTS: [IndexModel([("sha256", ASCENDING)], name="sha256")],
    QUARANTINE: [
        IndexModel([("cause", ASCENDING), ("quarantined_at", DESCENDING)], name="cause_time"),
        IndexModel([("quarantined_at", DESCENDING), ("_id", ASCENDING)], name="time"),
        IndexModel([("state", ASCENDING), ("quarantined_at", DESCENDING)], name="state_time"),
        IndexModel([("fingerprint", ASCENDING)], name="fingerprint"),
        # the next of a lane to redrive
        IndexModel([("topic", ASCENDING), ("partition", ASCENDING), ("offset", ASCENDING)], name="place"),
        # who refers to a file
        IndexModel([("refers", ASCENDING)], name="refers"),
    ],
}

CONTENT_INDEXES: Final[dict[str, list[IndexModel]]] = {
    ARCHIVES: [],
    FILES: [IndexModel([("metadata.put_at", ASCENDING)], name="put_at")],
    CHUNKS: [IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], name="files_id_1_n_1", unique=True)],
}
"""The second is GridFS's own, under its own name."""


def content_database(database: Database, name: str | None = None) -> Database:
    """Return the database of an archive's files, on the same servers and under the same concerns."""
    return database.client.get_database(
        name or f"{database.name}{CONTENT_SUFFIX}",
        read_concern=database.read_concern,
        write_concern=database.write_concern,
        read_preference=database.read_preference,
    )


async def prepare(database: Database, contents: Database | None = None) -> None:
    """Make what is missing: collections (a transaction cannot), indexes, and the layout's version.

    `contents` is the database of the files, the one named after the archive's where none is given.

    Idempotent. Raises Misconfigured where the store's layout is not one that this release can work on.
    """
    with reported("the store cannot be prepared"):
        await check(database)
        await database[LAYOUT].update_one({"_id": "layout"}, {"$max": {"version": LAYOUT_VERSION}}, upsert=True)
        await _make(database, INDEXES)
        empty = {"number": 0, "hash": START}
        for chain in (ACTS, SESSIONS_CHAIN):
            await database[HEADS].update_one({"_id": chain}, {"$setOnInsert": empty}, upsert=True)
        contents = contents if contents is not None else content_database(database)
        await _make(contents, CONTENT_INDEXES)
        await contents[ARCHIVES].update_one({"_id": database.name}, {"$setOnInsert": {"sweeps": 0}}, upsert=True)


async def prepared(database: Database) -> bool:
    """Return whether the store was ever prepared: whether there is an archive, be it an empty one."""
    with reported("the store's layout cannot be read"):
        return await database[LAYOUT].find_one({"_id": "layout"}) is not None


async def check(database: Database) -> None:
    """Raise Misconfigured where the store's layout is not one that this release can work on."""
    with reported("the store's layout cannot be read"):
        stored = await database[LAYOUT].find_one({"_id": "layout"})
    version = stored["version"] if stored else None
    if version is not None and not OLDEST_READABLE <= version <= LAYOUT_VERSION:
        raise Misconfigured(
            f"the store has layout {version}; this release works on {OLDEST_READABLE} to {LAYOUT_VERSION}"
        )


async def _make(database: Database, wanted: dict[str, list[IndexModel]]) -> None:
    existing = set(await database.list_collection_names())
    for name, indexes in wanted.items():
        if name not in existing:
            await _create(database, name)
        if indexes:
            await database[name].create_indexes(indexes)


async def _create(database: Database, name: str) -> None:
    """Create a collection that another process may be creating too."""
    try:
        await database.create_collection(name)
    except CollectionInvalid:
        return
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise


_NAMESPACE_EXISTS: Final = 48
