"""The content store in GridFS, as the Lync side writes it: each file once, under the digest of its bytes.

What `fs.files` says of a file beside GridFS's own fields is the contract with the archiver: `metadata.state` is
`arriving` until all its chunks are there and `present` then; `put_at` is when it was put last; `written` is another one
with each rewriting; `verified` is the archiver's finding, and a file that it found wrong is written anew.
"""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, Self, cast

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import ASCENDING, ReplaceOne, WriteConcern
from pymongo.errors import ConfigurationError, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from producers.ports import UploadRefused
from schemas.clock import Clock
from schemas.content_limits import UPLOAD_BYTES_MAX
from schemas.errors import Cause, DependencyUnavailable, Misconfigured
from schemas.events import ContentReference

CHUNK_BYTES: Final = 255 * 1024
"""GridFS's own."""

PORTION_CHUNKS: Final = 16
"""Chunks of one transaction: about 4 MB, far from what a transaction may take."""

MEMORY_BYTES_MAX: Final = 1024 * 1024
"""Larger files are copied to the disk while their digest is taken, and never held in memory whole."""

TRIES: Final = 10
PAUSE_S: Final = 0.05
"""Before a put that met another writer or a sweep of the same file is begun anew; it doubles."""

_TIMEOUT_MS: Final = 30_000
_JOURNALED: Final = WriteConcern(w="majority", j=True, wtimeout=_TIMEOUT_MS)
_PRESENT: Final = {"metadata.state": "present"}
_SNAPSHOT: Final = ReadConcern("snapshot")
_REFUSED: Final = frozenset({13, 18, 8000})
"""Unauthorized, AuthenticationFailed, AtlasError: the credentials are not accepted."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A private copy of what is to be put, so that what is written is what the digest was taken of."""

    file: BinaryIO
    sha256: str
    size: int


class GridFsContent:
    """The `ContentSink` in a database of its own."""

    def __init__(self, uri: str, database: str, clock: Clock, upload_bytes_max: int = UPLOAD_BYTES_MAX) -> None:
        self._clock = clock
        self._upload_bytes_max = upload_bytes_max
        try:
            self._client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
                uri, serverSelectionTimeoutMS=5_000, socketTimeoutMS=_TIMEOUT_MS, tz_aware=True, appname="lync-producer"
            )
        except (ConfigurationError, ValueError) as error:
            raise Misconfigured("the MongoDB address cannot be read") from error
        opened = self._client.get_database(database, read_concern=ReadConcern("majority"), write_concern=_JOURNALED)
        self._files, self._chunks = opened["fs.files"], opened["fs.chunks"]
        self._prepared = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.close()

    async def put(
        self, source: Path | BinaryIO, name: str, media_type: str, content_id: str | None = None
    ) -> ContentReference:
        with SpooledTemporaryFile(MEMORY_BYTES_MAX) as spool:
            copy = await asyncio.to_thread(_copied, source, cast("BinaryIO", spool), self._upload_bytes_max)
            reference = ContentReference(
                id=content_id or copy.sha256, name=name, media_type=media_type, size=copy.size, sha256=copy.sha256
            )
            with _reported():
                await self._prepare()
                await self._put(copy, name, media_type)
        return reference

    async def _prepare(self) -> None:
        if not self._prepared:
            await self._chunks.create_index([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)
            self._prepared = True

    async def _put(self, copy: _Copy, name: str, media_type: str) -> None:
        for tried in range(TRIES):
            try:
                if await self._touched(copy) or await self._written(copy, await self._begun(copy, name, media_type)):
                    return
            except DuplicateKeyError:
                pass  # somebody else began it in this moment
            except OperationFailure as error:
                if not error.has_error_label("TransientTransactionError"):
                    raise
            await self._clock.sleep(PAUSE_S * 2**tried)
        raise DependencyUnavailable(f"file {copy.sha256} is being written by others")

    async def _touched(self, copy: _Copy) -> bool:
        """Return whether the file is there already; its time to be referred to begins anew."""
        there = {"_id": copy.sha256, "length": copy.size, **_PRESENT, "metadata.verified": {"$ne": False}}
        touched = await self._files.update_one(there, {"$set": {"metadata.put_at": self._clock.now()}})
        return touched.matched_count == 1

    async def _begun(self, copy: _Copy, name: str, media_type: str) -> str:
        """Return the mark of the writing: of the one that is under way, whose bytes are the same, or a new one."""
        under_way = await self._files.find_one({"_id": copy.sha256, "metadata.state": "arriving"})
        if under_way is not None:
            return str(under_way["metadata"]["written"])
        now, written = self._clock.now(), uuid.uuid4().hex
        wrong = {"_id": copy.sha256, **_PRESENT, "$or": [{"metadata.verified": False}, {"length": {"$ne": copy.size}}]}
        metadata = {"state": "arriving", "put_at": now, "written": written, "media_type": media_type}
        facts = {"length": copy.size, "chunkSize": CHUNK_BYTES, "uploadDate": now, "filename": name}
        await self._files.update_one(wrong, {"$set": {**facts, "metadata": metadata}}, upsert=True)
        return written

    async def _written(self, copy: _Copy, written: str) -> bool:
        """Write all chunks and return True; False where the writing was swept or superseded."""
        await asyncio.to_thread(copy.file.seek, 0)
        for first in count(0, PORTION_CHUNKS):
            data = await asyncio.to_thread(copy.file.read, PORTION_CHUNKS * CHUNK_BYTES)
            last = first * CHUNK_BYTES + len(data) >= copy.size
            async with self._transaction() as session:
                if not await self._portion(copy, written, first, data, last, session):
                    return False
            if last:
                return True
        raise AssertionError("a portion of a file is the last")

    async def _portion(
        self, copy: _Copy, written: str, first: int, data: bytes, last: bool, session: AsyncIOMotorClientSession
    ) -> bool:
        """Write some chunks together with the file's document, so that no sweep leaves chunks without a file."""
        change = {"metadata.put_at": self._clock.now(), **({"metadata.state": "present"} if last else {})}
        ours = {"_id": copy.sha256, "metadata.written": written}
        if not (await self._files.update_one(ours, {"$set": change}, session=session)).matched_count:
            return False
        if last:
            behind = first + -(-len(data) // CHUNK_BYTES)
            beyond = {"files_id": copy.sha256, "n": {"$gte": behind}}
            await self._chunks.delete_many(beyond, session=session)
        chunks = [
            ReplaceOne({"files_id": copy.sha256, "n": n}, {"files_id": copy.sha256, "n": n, "data": piece}, upsert=True)
            for n, piece in enumerate(_pieces(data), start=first)
        ]
        if chunks:
            await self._chunks.bulk_write(chunks, session=session)
        return True

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncIOMotorClientSession]:
        async with (
            await self._client.start_session() as session,
            session.start_transaction(read_concern=_SNAPSHOT, write_concern=_JOURNALED),
        ):
            yield session


def _copied(source: Path | BinaryIO, spool: BinaryIO, bytes_max: int) -> _Copy:
    """Copy the source and take its digest. Raises UploadRefused where it is larger than what is taken."""
    digest = hashlib.sha256()
    size = 0
    with _opened(source) as file:
        while data := file.read(CHUNK_BYTES):
            size += len(data)
            if size > bytes_max:
                raise UploadRefused(Cause.CONTENT_OVERSIZED, f"it has more than {bytes_max} bytes")
            digest.update(data)
            spool.write(data)
    return _Copy(spool, digest.hexdigest(), size)


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        yield source
        return
    try:
        with source.open("rb") as file:
            yield file
    except OSError as error:
        raise Misconfigured(f"{source} cannot be read: {error.strerror}") from error


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES))


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except ConfigurationError as error:
        raise Misconfigured("the MongoDB address or its options are wrong") from error
    except OperationFailure as error:
        if error.code in _REFUSED:
            raise Misconfigured("MongoDB refused the credentials") from error
        raise DependencyUnavailable(f"the content store cannot be written: MongoDB error {error.code}") from error
    except PyMongoError as error:
        raise DependencyUnavailable(f"the content store cannot be written: {type(error).__name__}") from error
