"""Reads an archive from MongoDB, plainly."""

from hashlib import sha256
from typing import Any

from pymongo import AsyncMongoClient

from tests.checker.archive import Archive


async def read_archive(uri: str, database: str) -> Archive:
    """Read all of it, as the majority of the replica set has it."""
    async with AsyncMongoClient[dict[str, Any]](uri, readConcernLevel="majority", tz_aware=True) as client:
        names = ("conversations", "segments", "items", "quarantine", "checkpoints", "attachments")
        return Archive(*[await client[database][name].find().to_list(None) for name in names])


async def read_files(uri: str, database: str) -> dict[str, int]:
    """Return the size of each file in a content store by the digest of its bytes, which are read; none stands twice."""
    found: dict[str, int] = {}
    async with AsyncMongoClient[dict[str, Any]](uri, readConcernLevel="majority") as client:
        for file in await client[database]["fs.files"].find().to_list(None):
            chunks = await client[database]["fs.chunks"].find({"files_id": file["_id"]}).sort("n").to_list(None)
            data = b"".join(chunk["data"] for chunk in chunks)
            digest = sha256(data).hexdigest()
            assert digest not in found
            found[digest] = len(data)
    return found
