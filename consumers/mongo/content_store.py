"""The content store in GridFS: files by the digest of their bytes, in a database beside the archive's.

A file's document in `fs.files` carries all that is decided about it, so that whoever puts, refers to or sweeps a file
conflicts with the others: `metadata.state` (`arriving` until all its chunks are there, then `present`), `put_at`,
`written` (another one with each rewriting), `verified` (whether its digest was found right; unset: nobody looked).
"""

import hashlib
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from gridfs.errors import CorruptGridFile, NoFile
from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorGridFSBucket
from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from consumers.content import Claim, ContentState, digests
from consumers.mongo.content import content_of
from consumers.mongo.failures import codes, reported
from consumers.mongo.layout import ARCHIVES, ATTACHMENTS, CHUNKS, FILES, QUARANTINE, Database, Document
from consumers.mongo.transaction import WRITE_CONFLICT, committed
from consumers.ports import ContentAltered, IdleContent, Stale
from consumers.reading import NotFound
from schemas.errors import DependencyUnavailable

LOOKS_MAX: Final = 5
"""How often a file that is written anew while it is read is looked at again."""

NOTED_MAX: Final = 10
"""Quarantined records of an earlier release that are looked through at once."""

_PRESENT: Final[Document] = {"metadata.state": "present"}


class MongoContent:
    """The `ContentStore` of an archive: `database` is the archive's, `contents` the one that has the files."""

    def __init__(self, database: Database, contents: Database, item_bytes_max: int) -> None:
        self._database = database
        self._contents = contents
        self._item_bytes_max = item_bytes_max
        self._bucket = AsyncIOMotorGridFSBucket(contents)

    async def inspect(self, claims: Collection[Claim]) -> Mapping[Claim, ContentState]:
        found = {claim: ContentState.OVERSIZED for claim in claims if claim.size > self._item_bytes_max}
        asked = {claim.sha256 for claim in claims if claim not in found}
        with reported("the content store cannot be read"):
            query = {"_id": {"$in": list(asked)}, **_PRESENT}
            files = {document["_id"]: document async for document in self._contents[FILES].find(query)}
            for claim in sorted(set(claims) - found.keys()):
                found[claim] = await self._inspect(claim, files.get(claim.sha256))
        return found

    async def open(self, sha256: str) -> AsyncIterator[bytes]:
        digest = hashlib.sha256()
        with reported("the content store cannot be read"):
            if await self._file(sha256) is None:
                raise NotFound(f"the content store has no file {sha256}")
            try:
                async for portion in self._portions(sha256):
                    digest.update(portion)
                    yield portion
            except (CorruptGridFile, NoFile) as error:
                raise ContentAltered(f"file {sha256} is not whole") from error
        if digest.hexdigest() != sha256:
            raise ContentAltered(f"the bytes of file {sha256} are not those of its digest")

    async def idle(self, before: datetime) -> AsyncIterator[IdleContent]:
        with reported("the content store cannot be read"):
            for archive in await self._archives():
                await _note_older(archive)
            query = {"metadata.put_at": {"$lt": before}}
            async for document in self._contents[FILES].find(query, sort=[("_id", 1)], batch_size=100):
                if not await self._referred(document["_id"], None):
                    yield IdleContent(document["_id"], document["length"], document["metadata"]["put_at"])

    async def drop(self, sha256: str, before: datetime) -> bool:
        with reported("the content store cannot be swept"):
            try:
                async with committed(self._database.client) as session:
                    await self._drop(sha256, before, session)
            except _Kept:
                return False
            except OperationFailure as error:
                if WRITE_CONFLICT not in codes(error):
                    raise
                return False  # somebody put it or referred to it in this moment
        return True

    async def _drop(self, sha256: str, before: datetime, session: AsyncIOMotorClientSession) -> None:
        idle = {"_id": sha256, "metadata.put_at": {"$lt": before}}
        deleted = await self._contents[FILES].delete_one(idle, session=session)
        if not deleted.deleted_count or await self._referred(sha256, session):
            raise _Kept
        await self._contents[CHUNKS].delete_many({"files_id": sha256}, session=session)

    async def _archives(self) -> list[Database]:
        """Return all archives whose files these are: a rebuilt one shares those of the one that it stands beside."""
        names = [one["_id"] async for one in self._contents[ARCHIVES].find()]
        archive = self._database
        return [
            archive.client.get_database(name, read_concern=archive.read_concern, write_concern=archive.write_concern)
            for name in {archive.name, *names}
        ]

    async def _referred(self, sha256: str, session: AsyncIOMotorClientSession | None) -> bool:
        for archive in await self._archives():
            for name, query in ((ATTACHMENTS, {"sha256": sha256}), (QUARANTINE, {"refers": sha256})):
                if await archive[name].find_one(query, {"_id": 1}, session=session) is not None:
                    return True
        return False

    async def _file(self, sha256: str) -> Document | None:
        return await self._contents[FILES].find_one({"_id": sha256, **_PRESENT})

    async def _inspect(self, claim: Claim, file: Document | None) -> ContentState:
        for _ in range(LOOKS_MAX):
            if file is None:
                return ContentState.MISSING
            if file["length"] != claim.size:
                return ContentState.WRONG
            if file["metadata"].get("verified"):
                return ContentState.STORED
            right = await self._right(claim.sha256)
            # Only of the bytes that were read: whoever writes or sweeps the file meanwhile makes this match nothing.
            read = {"_id": claim.sha256, **_PRESENT, "metadata.written": file["metadata"]["written"]}
            noted = await self._contents[FILES].update_one(read, {"$set": {"metadata.verified": right}})
            if noted.matched_count:
                return ContentState.STORED if right else ContentState.WRONG
            file = await self._file(claim.sha256)
        raise DependencyUnavailable(f"file {claim.sha256} is being written")

    async def _right(self, sha256: str) -> bool:
        digest = hashlib.sha256()
        try:
            async for portion in self._portions(sha256):
                digest.update(portion)
        except (CorruptGridFile, NoFile):
            return False
        return digest.hexdigest() == sha256

    async def _portions(self, sha256: str) -> AsyncIterator[bytes]:
        stream = await self._bucket.open_download_stream(sha256)
        while portion := await stream.readchunk():
            yield portion


async def _note_older(archive: Database) -> None:
    """Note what quarantined records of earlier releases refer to: these did not say."""
    query = {"refers": {"$exists": False}}
    quarantine = archive[QUARANTINE]
    while found := await quarantine.find(query, limit=NOTED_MAX).to_list(NOTED_MAX):
        noted = [(one["_id"], sorted(digests(content_of(one)[2]))) for one in found]
        changes = [UpdateOne({"_id": name}, {"$set": {"refers": refers}}) for name, refers in noted]
        await quarantine.bulk_write(changes, ordered=False)


class _Kept(Exception):
    """The file stays; the transaction that was to delete it is aborted."""


async def refer(
    contents: Database, present: Iterable[Claim], referred: Iterable[str], session: AsyncIOMotorClientSession
) -> None:
    """Let a transaction that will refer to files conflict with whatever sweeps them.

    Raises Stale where one of `present` is not there any more as it was verified.
    """
    digests_, claims = list(referred), list(present)
    if not digests_:
        return
    await contents[FILES].update_many({"_id": {"$in": digests_}}, {"$inc": {"metadata.references": 1}}, session=session)
    there = {**_PRESENT, "metadata.verified": True}
    query = {"$or": [{"_id": claim.sha256, "length": claim.size, **there} for claim in claims]}
    if claims and await contents[FILES].count_documents(query, session=session) != len(claims):
        raise Stale("a file is not in the content store any more")
