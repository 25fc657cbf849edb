"""Changes of policies in MongoDB: read, compared with those that a batch was made by, and as documents."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClientSession

from consumers.audit.journal import Act, Signer
from consumers.batch import Batch
from consumers.mongo.digests import document_digest
from consumers.mongo.failures import reported
from consumers.mongo.journal import MongoJournal
from consumers.mongo.layout import POLICIES, Database, Document
from consumers.mongo.transaction import transacted
from consumers.policy.book import Change
from consumers.policy.ports import Purge
from consumers.policy.subject import MODELS, Subject, SubjectKind
from consumers.ports import Stale
from schemas.clock import Clock
from schemas.times import format_time


async def read_changes(database: Database, after: int) -> Sequence[Change]:
    """Return the changes behind this number, by number."""
    with reported("policies cannot be read"):
        found = await database[POLICIES].find({"_id": {"$gt": after}}).sort("_id", 1).to_list(None)
    return [change_of(document) for document in found]


async def adopt_changes(source: Database, target: Database, clock: Clock, signer: Signer) -> None:
    """Copy the history of one archive into another that is to decide as it did; what is there already stays."""
    changes = await read_changes(source, 0)
    journal = MongoJournal(target, signer)

    async def write(session: AsyncIOMotorClientSession) -> None:
        latest = await target[POLICIES].find_one({}, {"_id": 1}, sort=[("_id", -1)], session=session)
        adopted = [change_document(change) for change in changes if latest is None or change.number > latest["_id"]]
        if adopted:
            await target[POLICIES].insert_many(adopted, session=session)
            digests = [[document["_id"], document_digest(document)] for document in adopted]
            facts = {"at": format_time(clock.now()), "adopted_from": source.name, "changes": digests}
            await journal.act(Act.POLICY, facts, session)

    with reported("policies cannot be copied"):
        await transacted(target.client, clock, write)


async def check_policies(database: Database, decided: Batch | Purge, session: AsyncIOMotorClientSession) -> None:
    """Raise Stale for what was decided by other policies than those of the moment that the transaction sees."""
    latest = await database[POLICIES].find_one({}, {"_id": 1}, sort=[("_id", -1)], session=session)
    if decided.policies != (latest["_id"] if latest else 0):
        raise Stale("the policies are others by now")


def change_document(change: Change) -> Document:
    """Return all of a change."""
    return {
        "_id": change.number,
        "kind": str(change.subject.kind),
        "identity": change.subject.identity,
        "effective_at": change.effective_at,
        "recorded_at": change.recorded_at,
        "by": change.by,
        "value": change.value and change.value.model_dump(mode="json"),
    }


def change_of(document: Mapping[str, Any]) -> Change:
    """Read a change."""
    kind, value = SubjectKind(document["kind"]), document["value"]
    return Change(
        number=document["_id"],
        subject=Subject(kind, document["identity"]),
        effective_at=document["effective_at"].replace(tzinfo=UTC),
        recorded_at=document["recorded_at"].replace(tzinfo=UTC),
        by=document["by"],
        value=None if value is None else MODELS[kind].model_validate(value),
    )
