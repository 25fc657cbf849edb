"""The content store in GridFS keeps its contract on a real server, and survives whoever writes beside it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from bson import Binary

from consumers.content import Attachment, ContentState
from consumers.mongo import documents
from consumers.mongo.content_store import MongoContent
from consumers.mongo.layout import ATTACHMENTS, CHUNKS, FILES, QUARANTINE, Database, content_database, prepare
from consumers.mongo.quarantine import MongoQuarantine
from producers.gridfs_content import CHUNK_BYTES, PORTION_CHUNKS, GridFsContent
from producers.ports import UploadRefused
from schemas.clock import SystemClock
from schemas.errors import Cause, Misconfigured
from tests.builders import reference
from tests.contract.content_contract import (
    ITEM_BYTES_MAX,
    PLAN,
    ContentContract,
    Filed,
    archive,
    batch_of,
    claim,
    meeting,
    sha256,
    states,
)
from tests.support.audit import SIGNER
from tests.support.clock import ManualClock
from tests.support.trust import GRANT

LARGE = bytes(range(256)) * 12 * 4096
"""12 MiB: several portions, and more than an item takes by default."""


@pytest.fixture
async def sink(stack: Any, own: Database) -> AsyncIterator[GridFsContent]:
    async with GridFsContent(stack.mongodb_uri, content_database(own).name, SystemClock()) as sink:
        yield sink


async def write_wrong(contents: Database, data: bytes, digest: str, clock: ManualClock) -> None:
    """Leave other bytes under a digest, as whoever tampers with the database can."""
    metadata = {"state": "present", "put_at": clock.now(), "written": "somebody"}
    facts = {"length": len(data), "chunkSize": CHUNK_BYTES, "metadata": metadata}
    await contents[FILES].replace_one({"_id": digest}, facts, upsert=True)
    await contents[CHUNKS].delete_many({"files_id": digest})
    await contents[CHUNKS].insert_one({"files_id": digest, "n": 0, "data": Binary(data)})


class TestMongoContent(ContentContract):
    """The contract, on a replica set."""

    @pytest.fixture
    async def filed(self, stack: Any, own: Database) -> AsyncIterator[Filed]:
        clock = ManualClock()
        files = content_database(own)
        async with GridFsContent(stack.mongodb_uri, files.name, clock) as sink:

            async def put(data: bytes, sha256: str | None = None) -> None:
                if sha256 is None:
                    await sink.put(BytesIO(data), "a file", "text/plain")
                else:
                    await write_wrong(files, data, sha256, clock)

            async def attached() -> Sequence[Attachment]:
                found = await own[ATTACHMENTS].find(sort=[("_id", 1)]).to_list(None)
                return [documents.attachment_of(one) for one in found]

            store = MongoQuarantine(own, clock, SIGNER)
            yield Filed(store, MongoContent(own, files, ITEM_BYTES_MAX), put, attached, clock)


async def test_a_large_file_is_written_in_portions(sink: GridFsContent, own: Database, tmp_path: Path) -> None:
    """A file of 12 MiB comes back byte for byte, from a path or a stream, and is there once."""
    path = tmp_path / "large.bin"
    path.write_bytes(LARGE)
    first = await sink.put(path, "large.bin", "application/octet-stream", "c-1")
    again = await sink.put(BytesIO(LARGE), "other name", "application/octet-stream")
    assert (first.id, first.size, first.sha256) == ("c-1", len(LARGE), sha256(LARGE))
    assert again.sha256 == again.id == first.sha256
    files = content_database(own)
    assert await files[FILES].count_documents({}) == 1
    assert await files[CHUNKS].count_documents({}) == -(-len(LARGE) // CHUNK_BYTES)
    contents = MongoContent(own, files, len(LARGE))
    assert await contents.inspect([claim(LARGE)]) == {claim(LARGE): ContentState.STORED}
    digest = hashlib.sha256()
    async for portion in contents.open(first.sha256):
        assert len(portion) <= CHUNK_BYTES
        digest.update(portion)
    assert digest.hexdigest() == first.sha256
    small = MongoContent(own, files, len(LARGE) - 1)
    assert await small.inspect([claim(LARGE)]) == {claim(LARGE): ContentState.OVERSIZED}


async def test_a_file_is_read_once(sink: GridFsContent, own: Database) -> None:
    """That a digest is right is remembered: the bytes are not asked for a second time."""
    await sink.put(BytesIO(PLAN), "plan", "text/plain")
    files = content_database(own)
    contents = MongoContent(own, files, ITEM_BYTES_MAX)
    for _ in range(2):
        assert await contents.inspect([claim(PLAN)]) == {claim(PLAN): ContentState.STORED}
        await files[CHUNKS].delete_many({})


@pytest.mark.parametrize("harm", ["altered", "chunk lost", "another length"])
async def test_a_harmed_file_is_wrong_until_it_is_put_again(sink: GridFsContent, own: Database, harm: str) -> None:
    """Bytes that are not those of the digest are found, and putting the file writes it anew."""
    await sink.put(BytesIO(PLAN), "plan", "text/plain")
    files = content_database(own)
    match harm:
        case "altered":
            await files[CHUNKS].update_one({"n": 0}, {"$set": {"data": Binary(b"a pl4n")}})
        case "chunk lost":
            await files[CHUNKS].delete_many({})
        case _:
            await files[FILES].update_one({}, {"$set": {"length": 5}})
    contents = MongoContent(own, files, ITEM_BYTES_MAX)
    assert await contents.inspect([claim(PLAN)]) == {claim(PLAN): ContentState.WRONG}
    await sink.put(BytesIO(PLAN), "plan", "text/plain")
    assert await contents.inspect([claim(PLAN)]) == {claim(PLAN): ContentState.STORED}
    assert await files[CHUNKS].count_documents({}) == 1


async def test_a_put_that_broke_off_is_taken_up(sink: GridFsContent, own: Database) -> None:
    """A file of which some chunks are there is missing; the next put completes it."""
    await sink.put(BytesIO(LARGE), "large.bin", "application/octet-stream")
    files = content_database(own)
    await files[FILES].update_one({}, {"$set": {"metadata.state": "arriving"}})
    await files[CHUNKS].delete_many({"n": {"$gte": PORTION_CHUNKS}})
    contents = MongoContent(own, files, len(LARGE))
    assert await contents.inspect([claim(LARGE)]) == {claim(LARGE): ContentState.MISSING}
    await sink.put(BytesIO(LARGE), "large.bin", "application/octet-stream")
    assert await contents.inspect([claim(LARGE)]) == {claim(LARGE): ContentState.STORED}


async def test_many_put_one_file_at_once(sink: GridFsContent, own: Database) -> None:
    """Producers that put the same bytes together leave one whole copy."""
    data = LARGE[: 6 * 1024 * 1024]
    found = await asyncio.gather(*(sink.put(BytesIO(data), f"{n}.bin", "text/plain") for n in range(4)))
    assert {one.sha256 for one in found} == {sha256(data)}
    files = content_database(own)
    contents = MongoContent(own, files, len(data))
    assert await contents.inspect([claim(data)]) == {claim(data): ContentState.STORED}
    assert await files[CHUNKS].count_documents({}) == -(-len(data) // CHUNK_BYTES)


async def test_too_large_an_upload_is_refused(stack: Any, own: Database, tmp_path: Path) -> None:
    """What a meeting does not take is refused by name and leaves nothing; so is what cannot be read."""
    files = content_database(own)
    async with GridFsContent(stack.mongodb_uri, files.name, SystemClock(), upload_bytes_max=5) as sink:
        with pytest.raises(UploadRefused) as refused:
            await sink.put(BytesIO(PLAN), "plan", "text/plain")
        assert refused.value.cause is Cause.CONTENT_OVERSIZED
        with pytest.raises(Misconfigured):
            await sink.put(tmp_path / "absent", "plan", "text/plain")
    assert await files[FILES].count_documents({}) == 0


async def test_sweeping_races_with_archiving(sink: GridFsContent, own: Database) -> None:
    """Whichever comes first, an event that was archived with its file has it, and a stub stands where it was swept."""
    clock = ManualClock()
    files = content_database(own)
    store, contents = MongoQuarantine(own, SystemClock(), SIGNER), MongoContent(own, files, ITEM_BYTES_MAX)

    async def put(data: bytes, sha256: str | None = None) -> None:
        raise AssertionError(data, sha256)

    async def attached() -> Sequence[Attachment]:
        found = await own[ATTACHMENTS].find(sort=[("_id", 1)]).to_list(None)
        return [documents.attachment_of(one) for one in found]

    filed = Filed(store, contents, put, attached, clock)
    outcomes = []
    for number in range(12):
        data = f"file {number}".encode()
        await sink.put(BytesIO(data), "file", "text/plain")
        batch = await batch_of(filed, meeting(reference(data), name=f"m{number}"))
        now = SystemClock().now()
        committed, dropped = await asyncio.gather(
            store.commit(GRANT, batch), contents.drop(sha256(data), now), return_exceptions=True
        )
        if committed is not None:
            await archive(filed, meeting(reference(data), name=f"m{number}"))
        assert (dropped is True) == (committed is not None)
        outcomes.append(dropped)
    wanted = [ContentState.MISSING if dropped else ContentState.STORED for dropped in outcomes]
    found = {one.conversation: one.state for one in await attached()}
    assert [found[f"m{number}"] for number in range(12)] == wanted
    assert await states(filed)
    for number, state in enumerate(wanted):
        data = f"file {number}".encode()
        inspected = await contents.inspect([claim(data)])
        assert inspected == {claim(data): state}


async def test_records_that_an_earlier_release_quarantined_keep_their_files(sink: GridFsContent, own: Database) -> None:
    """Such entries do not say what they refer to; a sweep finds it in their values first."""
    await sink.put(BytesIO(PLAN), "plan", "text/plain")
    await sink.put(BytesIO(LARGE[:9]), "lone", "text/plain")
    value = f'{{"sha256":"{sha256(PLAN)}"'.encode()
    for place, said in ((7, Binary(value)), (8, None)):
        entry: dict[str, Any] = {"_id": f"lync.conferences/0/{place}", "key": None, "headers": [], "value": said}
        await own[QUARANTINE].insert_one(entry)
    contents = MongoContent(own, content_database(own), ITEM_BYTES_MAX)
    now = SystemClock().now()
    assert [file.sha256 async for file in contents.idle(now)] == [sha256(LARGE[:9])]
    assert not await contents.drop(sha256(PLAN), now)


async def test_archives_that_share_files_keep_each_others(sink: GridFsContent, own: Database) -> None:
    """A file that only a rebuilt archive refers to is not swept by the one beside it."""
    await sink.put(BytesIO(PLAN), "plan", "text/plain")
    files = content_database(own)
    other = own.client.get_database(files.name.replace("_content", "_other"))
    try:
        await prepare(other, files)
        attachment = Attachment("m1", 1, claim(PLAN), ContentState.STORED)
        await other[ATTACHMENTS].insert_one(documents.attachment_document(attachment))
        contents = MongoContent(own, files, ITEM_BYTES_MAX)
        now = SystemClock().now()
        assert [file async for file in contents.idle(now)] == []
        assert not await contents.drop(sha256(PLAN), now)
    finally:
        await own.client.drop_database(other.name)
