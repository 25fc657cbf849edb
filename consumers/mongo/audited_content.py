"""The content store, compared with itself and with what events refer to: every byte of every file is read."""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from consumers.audit.finding import Finding
from consumers.mongo.digests import unlike
from consumers.mongo.layout import ARCHIVES, CHUNKS, FILES, Document
from consumers.mongo.merging import Grouped

UNATTESTED: Final = {
    f"{FILES}.uploadDate": "when the Lync side put a file, which signs nothing here; it decides when an idle one goes",
    f"{FILES}.metadata.put_at": "as above",
    f"{FILES}.metadata.written": "tells one writing of the same bytes from another",
    f"{FILES}.metadata.references": "a number that rises so that transactions meet",
    f"{FILES}.filename": "the name by which it was put first; each event has its own",
    f"{FILES}.metadata.media_type": "as above",
    f"{FILES} that no event refers to": "put for events that may never come, and swept; with their chunks",
    f"{CHUNKS}._id": "MongoDB's own; a chunk is known by file and number",
    f"{ARCHIVES} of others": "names of archives that share the files: one too many keeps files longer",
}
"""What no entry vouches for, and why. Of a file that was noted as wrong the bytes are no record either."""

CHUNK_BYTES: Final = 255 * 1024
"""GridFS's own, as the Lync side writes files."""

_FIELDS: Final[dict[str, type]] = {"length": int, "chunkSize": int, "uploadDate": datetime, "filename": str}
_METADATA: Final[dict[str, type]] = {"state": str, "put_at": datetime, "written": str, "media_type": str}
_OPTIONAL: Final[dict[str, type]] = {"verified": bool, "references": int}

Documents = AsyncIterator[Document]


async def files(found: Documents, chunks: Documents, wanted: dict[str, int]) -> AsyncIterator[Finding]:
    """Compare files and their chunks, both in order of the file; `wanted` are sizes by digest of those that are stored.

    A file that nobody refers to may be there, and one that is arriving; its bytes may be wrong only where that is
    noted.
    """
    left = dict(wanted)
    parts = Grouped(chunks, lambda document: document.get("files_id"))
    await parts.advance()
    async for document in found:
        name = document["_id"]
        if not isinstance(name, str):
            yield Finding(FILES, str(name), "is no file of this store")
            continue
        while parts.at is not None and parts.at.encode() < name.encode():
            yield Finding(CHUNKS, parts.at, "are of no file")
            await parts.take(parts.at)
        size = left.pop(name, None)
        async for finding in _file(document, parts, size):
            yield finding
    while parts.at is not None:
        yield Finding(CHUNKS, parts.at, "are of no file")
        await parts.take(parts.at)
    for odd in parts.odd:
        yield Finding(CHUNKS, str(odd["_id"]), "is of no file")
    for name in left:
        yield Finding(FILES, name, "is missing")


async def _file(document: Document, parts: Grouped, size: int | None) -> AsyncIterator[Finding]:
    name = document["_id"]
    digest, length, number = hashlib.sha256(), 0, 0
    async for chunk in parts.each(name):
        data = chunk.get("data")
        data = data if isinstance(data, bytes) else b""
        if unlike({"_id": chunk["_id"], "files_id": name, "n": number, "data": data}, chunk) is not None:
            yield Finding(CHUNKS, str(chunk["_id"]), f"is not chunk {number} of file {name}")
        digest.update(data)
        length += len(data)
        number += 1
    if not _well_formed(document):
        yield Finding(FILES, name, "is not as any writer leaves it")
        return
    metadata = document["metadata"]
    if metadata["state"] == "arriving" and size is None:
        return
    verified, right = metadata.get("verified"), digest.hexdigest() == name and document["length"] == length
    if size is not None and not (right and length == size and verified and metadata["state"] == "present"):
        yield Finding(FILES, name, "is not the file that events refer to")
    elif right == (verified is False):
        yield Finding(FILES, name, "has other bytes, or another size, than is noted")


def _well_formed(document: Document) -> bool:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("state") not in ("present", "arriving"):
        return False
    rest = {name: value for name, value in document.items() if name not in {"_id", "metadata"}}
    return _typed(rest, _FIELDS, {}) and _typed(metadata, _METADATA, _OPTIONAL) and rest["chunkSize"] == CHUNK_BYTES


def _typed(found: Document, required: dict[str, type], optional: dict[str, type]) -> bool:
    types = required | optional
    return required.keys() <= found.keys() <= types.keys() and all(
        isinstance(value, types[name]) and (types[name] is bool or not isinstance(value, bool))
        for name, value in found.items()
    )


async def archives(found: Documents, name: str) -> AsyncIterator[Finding]:
    """Compare the names of the archives that share this content store; this one must be among them."""
    there = False
    async for document in found:
        there = there or document["_id"] == name
        if unlike({"_id": document["_id"], "sweeps": 0}, document) is not None:
            yield Finding(ARCHIVES, str(document["_id"]), "is altered")
    if not there:
        yield Finding(ARCHIVES, name, "is missing")
