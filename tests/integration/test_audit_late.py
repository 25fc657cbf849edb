"""The audit of archives in which late events changed what was decided: as the program wrote them, they are clean."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from consumers.audit.ed25519 import Ed25519Checker
from consumers.mongo.audit import MongoAuditor
from consumers.mongo.layout import MAILBOXES, PURGES, Database, content_database, prepare
from consumers.mongo.partners import MongoPartners
from consumers.mongo.retention import MongoRetention
from consumers.mongo.store import MAJORITY, connect
from consumers.mongo.transaction import JOURNALED
from consumers.policy.governing import Governing
from consumers.policy.subject import Subject, SubjectKind
from consumers.ports import Stale
from schemas.clock import SystemClock
from schemas.policies import DirectoryUser, ExchangeArchiving
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    CONFERENCES,
    DAVE,
    FILE,
    activated,
    entered,
    history,
    laid,
    message,
    person,
    said,
    started,
    uploaded,
)
from tests.builders import record as record_of
from tests.contract.policy_contract import governing
from tests.contract.retention_contract import Retained
from tests.contract.store_contract import batch_of
from tests.fault.tampering.archive import empty_archive
from tests.fault.tampering.arrivals import Arrival
from tests.integration.test_mongo_retention import retained_in
from tests.support.audit import SIGNER
from tests.support.clock import START
from tests.support.trust import GRANT, PARTNER

BEFORE = START - timedelta(days=1)
LATER = START + timedelta(days=1)


@pytest.fixture(scope="module")
async def opened(stack: Any) -> AsyncIterator[Database]:
    opened = connect(stack.mongodb_uri, "unused")
    yield opened
    opened.client.close()


@pytest.fixture
async def own(opened: Database, database: str) -> Database:
    """An archive of the test's own."""
    own: Database = opened.client.get_database(database, read_concern=MAJORITY, write_concern=JOURNALED)
    await prepare(own)
    await MongoPartners(own, SystemClock(), SIGNER).put(PARTNER)
    return own


async def found(own: Database) -> list[str]:
    """Return what an audit finds."""
    auditor = MongoAuditor(own, content_database(own), Ed25519Checker([SIGNER.public]))
    return [str(finding) async for finding in auditor.findings()]


async def changed(retained: Retained, second: int, **facts: Any) -> None:
    """Give Bob another account from that second on."""
    user = Subject(SubjectKind.USER, BOB.sip)
    await retained.policies.change(GRANT, {user: DirectoryUser(**facts)}, START + timedelta(seconds=second))


async def arrive(retained: Retained, *sequences: int) -> None:
    """Bob comes at every sequence that ends in 5, of a conference that begins at 1; each is a batch of its own."""
    for sequence in sequences:
        data = activated() if sequence == 1 else entered(BOB) if sequence % 10 == 5 else said(ALICE)
        await retained.archive_records(laid([record_of(sequence, data)]))


async def test_a_batch_that_is_stale_leaves_no_mailbox(own: Database) -> None:
    """Somebody comes late to a meeting that a lane has at hand, and that was removed in the meantime."""
    retained = retained_in(own)
    await retained.policies.change(GRANT, governing(), BEFORE)
    meeting = history(activated(), entered(CAROL), said(CAROL), entered(DAVE))
    await retained.archive_records(meeting[:3])
    governance = Governing(retained.store)
    await governance.refresh()
    late = await batch_of(retained.store, meeting[3:], CONFERENCES, governance.current)
    await retained.delete_items(CAROL.sip)
    await retained.purge(frees=True, conversation="m1")
    with pytest.raises(Stale):
        await retained.store.commit(GRANT, late)
    refused = await retained.archive_records(meeting[3:])
    assert refused.counts.quarantined == 1
    assert await found(own) == []


async def test_a_conversation_that_has_as_many_gaps_as_it_may(own: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap closes before the next one comes; in order of sequence, as they are stored, it would come first."""
    monkeypatch.setattr("consumers.draft.GAPS_MAX", 3)
    retained = retained_in(own)
    for arriving in ((4, 8, 12), (9, 10, 11, 2)):
        batch = await retained.archive_records(laid(record_of(sequence, said()) for sequence in arriving))
        assert batch.counts.quarantined == 0
    assert await found(own) == []


async def test_a_copy_that_is_there_again_is_not_exported(own: Database) -> None:
    """Late comings take the copy away, and bring it back: without the mark of its export, until it has another."""
    retained = retained_in(own)
    await retained.policies.change(GRANT, governing(), BEFORE)
    await changed(retained, 10, exchange_archiving=ExchangeArchiving.NO_ARCHIVING)
    await changed(retained, 20)
    await arrive(retained, 25)
    (copy,) = await retained.stored.copies()
    for sequence in (15, 5):
        await retained.retention.mark_exported(GRANT, {copy.item.id: 1})
        await arrive(retained, sequence)
        assert await found(own) == []
    (remains,) = await retained.retention.archived(LATER, None, 10)
    assert [one.exported_segments for one in remains.copies] == [None]
    await retained.retention.mark_exported(GRANT, {copy.item.id: 3})
    assert await found(own) == []


async def test_a_name_that_a_removed_conversation_gave_is_not_put_back(own: Database) -> None:
    """A conversation that began before, and came later, gave the mailbox its name; the other one is gone."""
    retained = retained_in(own)
    await retained.policies.change(GRANT, governing(), BEFORE)
    await retained.archive_records([record_of(1, started(BOB), at_s=50), record_of(2, message(BOB), at_s=51)])
    named = await own[MAILBOXES].find_one({"_id": BOB.sip})
    assert named is not None
    await retained.delete_items(BOB.sip)
    await retained.purge(BOB.sip, frees=True)
    assert await found(own) == []
    await retained.archive(started(person("bob", "Robert"), conversation="c0"))
    assert await found(own) == []
    await own[MAILBOXES].replace_one({"_id": BOB.sip}, named)
    assert await found(own) == [f"mailboxes {BOB.sip}: is altered: field named"]


@pytest.mark.parametrize("deleted", [False, True])
async def test_an_item_that_is_there_no_more_since_no_history_is_kept(own: Database, deleted: bool) -> None:
    """One that its user deleted before stays as it was then."""
    retained = retained_in(own)
    await retained.policies.change(GRANT, governing(), BEFORE)
    await changed(retained, 10, conversation_history=False)
    await changed(retained, 20)
    await arrive(retained, 1, 25)
    assert len(await retained.stored.items(BOB.sip)) == 1
    if deleted:
        await retained.delete_items(BOB.sip)
    for sequence in (15, 26, 5):
        await arrive(retained, sequence)
        assert await found(own) == []
    assert len(await retained.stored.items(BOB.sip)) == (not deleted)


async def test_a_copy_whose_file_comes_after_its_export_is_not_exported(
    stack: Any, opened: Database, database: str
) -> None:
    """What was exported says that the file is not there; once a redrive heals that, it is exported no more."""
    archive = await empty_archive(stack.mongodb_uri, opened, database)
    retention = MongoRetention(archive.database, archive.clock, archive.signer)
    await archive.partners().put(PARTNER)
    await archive.change_policies(governing())
    meeting = history(activated(), entered(BOB), uploaded(who=BOB))
    await archive.archive(CONFERENCES, map(Arrival, meeting), killed=False)
    (remains,) = await retention.archived(LATER, None, 10)
    await retention.mark_exported(GRANT, {one.id: 1 for one in remains.copies})
    await archive.put([FILE])
    await archive.redrive()
    assert await archive.quarantined() == []
    (remains,) = await retention.archived(LATER, None, 10)
    assert [one.exported_segments for one in remains.copies] == [None]
    auditor = MongoAuditor(archive.database, archive.contents, Ed25519Checker(archive.keys))
    assert [finding async for finding in auditor.findings()] == []
    await retention.mark_exported(GRANT, {one.id: 1 for one in remains.copies})
    assert [finding async for finding in auditor.findings()] == []
    await archive.database[PURGES].update_many({}, {"$unset": {"exported": ""}})
    assert [finding.problem async for finding in auditor.findings()] == ["is altered: field exported"]
    await archive.drop()
