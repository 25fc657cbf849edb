"""Reads an archive from MongoDB, plainly."""

from typing import Any

from pymongo import AsyncMongoClient

from tests.checker.archive import Archive


async def read_archive(uri: str, database: str) -> Archive:
    """Read all of it, as the majority of the replica set has it."""
    async with AsyncMongoClient[dict[str, Any]](uri, readConcernLevel="majority", tz_aware=True) as client:
        names = ("conversations", "segments", "items", "quarantine", "checkpoints")
        return Archive(*[await client[database][name].find().to_list(None) for name in names])
