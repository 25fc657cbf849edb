"""The MongoDB retention store keeps the contract on a real server, and writes what an auditor needs of it."""

from datetime import timedelta
from typing import Any

import pytest

from consumers.mongo.digests import document_digest
from consumers.mongo.journal import entry_of
from consumers.mongo.layout import CONVERSATIONS, JOURNAL, MAILBOXES, PURGES, SEGMENTS, Database
from consumers.mongo.mailboxes import MongoMailboxes
from consumers.mongo.partners import MongoPartners
from consumers.mongo.policies import MongoPolicies
from consumers.mongo.retention import MongoRetention
from consumers.mongo.store import MongoStore
from consumers.policy.governing import Governing
from consumers.ports import Stale
from schemas.clock import SystemClock
from tests.builders import ALICE, BOB, CAROL, ended, history, joined, message, started
from tests.contract.policy_contract import governing
from tests.contract.retention_contract import Retained, RetentionContract
from tests.contract.store_contract import batch_of
from tests.integration.test_mongo_store import MongoStored
from tests.support.audit import SIGNER
from tests.support.clock import START, ManualClock
from tests.support.trust import GRANT


def retained_in(own: Database) -> Retained:
    """Return the adapters of an archive."""
    clock = ManualClock()
    return Retained(
        MongoRetention(own, clock, SIGNER),
        MongoStore(own, clock, SIGNER),
        MongoPolicies(own, clock, SIGNER),
        MongoPartners(own, SystemClock(), SIGNER),
        MongoMailboxes(own, clock, SIGNER),
        MongoStored(own),
        clock,
    )


class TestMongoRetention(RetentionContract):
    """The contract, on a replica set."""

    @pytest.fixture
    async def retained(self, own: Database) -> Retained:
        return retained_in(own)


async def acts(own: Database, act: str) -> list[dict[str, Any]]:
    """Return what the acts of one kind say, by number."""
    found = own[JOURNAL].find({"act": act}, sort=[("_id", 1)])
    return [entry_of(document).facts() async for document in found]


def by_grant() -> dict[str, str]:
    return {"at": "2026-01-05T09:00:00Z", "by": str(GRANT.principal), "token": GRANT.token_id}


async def test_the_journal_says_what_was_deleted(own: Database) -> None:
    """A purge names conversation and mailboxes, a removal the digest of a tombstone without people or words."""
    retained = retained_in(own)
    await retained.policies.change(GRANT, governing(), START)
    talk = (started(BOB, CAROL), message(BOB, "secret"), ended())
    await retained.archive(*talk[:2])
    await retained.archive(*talk, done=2)
    segments = [one async for one in own[SEGMENTS].find({}, sort=[("_id", 1)])]
    before = await own[CONVERSATIONS].find_one({"_id": "c1"})
    await retained.delete_items(BOB.sip, CAROL.sip)
    await retained.purge(BOB.sip, frees=True)
    tombstone = await own[CONVERSATIONS].find_one({"_id": "c1"})
    assert before is not None
    assert tombstone is not None
    removed = tombstone.pop("removed")
    assert tombstone == {
        name: before[name] for name in ("_id", "lane", "kind", "phase", "segments", "head", "held", "ending")
    } | {"revision": 3}
    assert removed["reason"] == "purge"
    assert removed["segments"] == [
        [one["_id"]["first"], one["last"], one["ordinal"], one["hash"], one["chain"], one["entry"]] for one in segments
    ]
    digest = document_digest(tombstone | {"removed": removed})
    mailboxes = own[MAILBOXES].find({}, {"named": 1})
    facts = {
        "mailboxes": [BOB.sip],
        "removed": digest,
        "named": sorted([document_digest(one) async for one in mailboxes]),
    }
    assert await acts(own, "purge") == [{**by_grant(), "conversation": "c1", **facts}]
    for people in ("alice", "bob", "carol", "secret", "Bob"):
        assert people not in str(tombstone | {"removed": removed})


async def test_a_purge_and_an_export_as_the_journal_has_them(own: Database) -> None:
    """One purge is one act; `purged` is sorted; an export's act has the digest of each copy's mark."""
    retained = retained_in(own)
    await retained.policies.change(GRANT, governing(), START)
    await retained.archive(started(ALICE, BOB), message(ALICE, "hello"))
    await retained.purge(BOB.sip)
    assert await acts(own, "purge") == [{**by_grant(), "conversation": "c1", "mailboxes": [BOB.sip]}]
    stored = await own[CONVERSATIONS].find_one({"_id": "c1"})
    assert stored is not None
    assert stored["purged"] == [BOB.sip]
    (copy,) = await retained.stored.copies()
    await retained.retention.mark_exported(GRANT, {copy.item.id: 1})
    marked = await own[PURGES].find_one({"_id": copy.item.id})
    assert marked is not None
    assert marked["exported"].keys() == {"at", "by", "token", "segments"}
    assert await acts(own, "export") == [
        {**by_grant(), "copies": [[copy.item.id, document_digest(marked["exported"])]]}
    ]


async def test_a_batch_that_meets_a_removal_makes_no_mailbox(own: Database) -> None:
    """Somebody who joins as the conversation is removed never used a mailbox: nothing would vouch for it."""
    retained = retained_in(own)
    await retained.policies.change(GRANT, governing(), START)
    talk = (started(BOB, CAROL), message(BOB, "hello"), joined(ALICE))
    await retained.archive(*talk[:2])
    governance = Governing(retained.store)
    await governance.refresh()
    late = await batch_of(retained.store, history(*talk)[2:], governance=governance.current)
    await retained.delete_items(BOB.sip, CAROL.sip)
    await retained.purge(BOB.sip, frees=True)
    with pytest.raises(Stale):
        await retained.store.commit(GRANT, late)
    assert await own[MAILBOXES].find_one({"_id": ALICE.sip}) is None


async def test_copies_behind_those_of_what_was_removed_meanwhile_are_found(own: Database) -> None:
    """A page whose conversations are all gone by the time that they are read is not the last."""
    retained = retained_in(own)
    await retained.policies.change(GRANT, governing(), START)
    for name in ("c1", "c2"):
        await retained.archive(started(BOB, CAROL, conversation=name))
    await own[CONVERSATIONS].update_one({"_id": "c1"}, {"$set": {"removed": {}}})
    (found,) = await retained.retention.archived(START + timedelta(days=9), None, 1)
    assert found.conversation.id == "c2"
