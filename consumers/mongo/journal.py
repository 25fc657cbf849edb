"""The journal in MongoDB: entries are inserted within the transactions that do what they say, and never touched again.

The head of a lane's chain is in its checkpoint, and moves with it; those of the other chains are in `heads`, so that of
two acts at one time one waits for the other, or begins anew.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClientSession

from consumers.audit.journal import ACTS, Act, Entry, Head, Signer, write_entry
from consumers.batch import Batch, LaneId
from consumers.content import Attachment, ContentState
from consumers.grant import Grant
from consumers.mongo.digests import document_digest
from consumers.mongo.layout import HEADS, JOURNAL, Database, Document
from consumers.segment import Segment
from schemas.times import format_time


class MongoJournal:
    """Goes on with the chains of one archive."""

    def __init__(self, database: Database, signer: Signer) -> None:
        self._database = database
        self._signer = signer

    async def act(
        self, act: Act, facts: Mapping[str, Any], session: AsyncIOMotorClientSession, chain: str = ACTS
    ) -> int:
        """Append to a chain that is no lane's, and return the entry's number.

        Conflicts with every other act of the chain that is under way; `consumers.mongo.layout.prepare` made its head.
        """
        head = head_of(await self._database[HEADS].find_one({"_id": chain}, session=session))
        entry = write_entry(chain, head, act, facts, self._signer)
        moved = head_document(Head(entry.number, entry.hash))
        await self._database[HEADS].update_one({"_id": chain}, {"$set": moved}, session=session, upsert=True)
        await self._database[JOURNAL].insert_one(entry_document(entry), session=session)
        return entry.number

    def commit(self, lane: LaneId, head: Head, facts: Mapping[str, Any]) -> Entry:
        """Return the entry of a lane's commit, which goes on from the head that its checkpoint has."""
        return write_entry(str(lane), head, Act.COMMIT, facts, self._signer)

    async def insert(self, entry: Entry, session: AsyncIOMotorClientSession) -> None:
        """Insert the entry of a lane's commit."""
        await self._database[JOURNAL].insert_one(entry_document(entry), session=session)


def entry_document(entry: Entry) -> Document:
    """Return all of an entry."""
    return {
        "_id": {"chain": entry.chain, "number": entry.number},
        "previous": entry.previous,
        "act": str(entry.act),
        "body": entry.body,
        "hash": entry.hash,
        "key": entry.key,
        "signature": entry.signature,
    }


def entry_of(document: Mapping[str, Any]) -> Entry:
    """Read an entry."""
    return Entry(
        chain=document["_id"]["chain"],
        number=document["_id"]["number"],
        previous=bytes(document["previous"]),
        act=Act(document["act"]),
        body=document["body"],
        hash=bytes(document["hash"]),
        key=document["key"],
        signature=bytes(document["signature"]),
    )


def head_of(document: Mapping[str, Any] | None) -> Head:
    """Read a chain's head, be it in `heads` or in a checkpoint; one that is not there is that of an empty chain."""
    return Head(document["number"], bytes(document["hash"])) if document else Head()


def head_document(head: Head) -> Document:
    """Return a chain's head as a document."""
    return {"number": head.number, "hash": head.hash}


def by(grant: Grant, at: datetime) -> Document:
    """Return who does something, and when."""
    return {"at": format_time(at), "by": str(grant.principal), "token": grant.token_id}


def commit_facts(batch: Batch, quarantine: Collection[Document]) -> Document:
    """Return what the entry of a lane's commit says, beside who did it; `quarantine` are the documents it writes."""
    return {
        "start": batch.start,
        "end": batch.end,
        "topic_id": batch.log.topic_id,
        "log": batch.log.number,
        "counts": list(batch.counts),
        "watermark": batch.watermark and format_time(batch.watermark),
        "quarantine": sorted([one["_id"], document_digest(one)] for one in quarantine),
        **archived_facts(batch),
    }


def archived_facts(batch: Batch) -> Document:
    """Return what an entry says of the segments and files that a commit or a redrive adds."""
    return {
        "policies": batch.policies,
        "segments": [len(batch.segments), segments_digest(segment_line(one) for one in _in_order(batch.segments))],
        "stubs": stubs(batch.attachments),
    }


def stubs(attachments: Iterable[Attachment]) -> list[list[Any]]:
    """Return the places of files that were not there, and in what state."""
    missing = [one for one in attachments if one.state is not ContentState.STORED]
    return sorted([one.conversation, one.sequence, str(one.state)] for one in missing)


def segment_line(segment: Segment) -> bytes:
    """Return what stands for a segment in the entry that added it."""
    return segment_text(segment.conversation, segment.first, segment.last, segment.ordinal, segment.hash)


def segment_text(conversation: str, first: int, last: int, ordinal: int, digest: bytes) -> bytes:
    """Return the same from its parts, of which a removed segment's tombstone keeps no more."""
    return f"{json.dumps([conversation, first, last, ordinal, digest.hex()])}\n".encode()


def segments_digest(lines: Iterable[bytes]) -> str:
    """Return the digest of an entry's segments, given their lines in order of `_id`."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
    return digest.hexdigest()


def _in_order(segments: Iterable[Segment]) -> list[Segment]:
    """As MongoDB sorts by `_id`: conversations by their bytes, then by sequence."""
    return sorted(segments, key=lambda one: (one.conversation.encode(), one.first))
