"""The audit on a real server: a clean archive is clean, and each kind of tampering is named where it is.

The campaign of random mutations is in `tests.fault.tampering`; here is one of each kind that matters most.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from consumers.audit.ed25519 import Ed25519Checker, new_key, read_signer
from consumers.audit.finding import Finding
from consumers.batch import Checkpoint, LaneId
from consumers.decoding import decode_all
from consumers.fold import fold
from consumers.mongo.audit import MongoAuditor
from consumers.mongo.layout import Database, content_database
from consumers.mongo.mailboxes import MongoMailboxes
from consumers.mongo.policies import MongoPolicies
from consumers.mongo.quarantine import MongoQuarantine
from consumers.mongo.retention import MongoRetention
from consumers.mongo.sessions import MongoSessions
from consumers.policy.book import PolicyBook
from consumers.policy.governance import Governance
from consumers.policy.governing import Governing
from consumers.policy.subject import GLOBAL, Subject, SubjectKind
from consumers.reading import NotFound
from consumers.tokens.session import Session
from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.catalogue import Stream
from schemas.clock import SystemClock
from schemas.meetings import Origin
from schemas.policies import ArchivedSessions, ArchivingConfiguration
from schemas.record import Record
from tests.builders import ALICE, BOB, CAROL, CONFERENCES, activated, came, history, joined, started
from tests.contract.policy_contract import governing
from tests.contract.store_contract import batch_of
from tests.support.audit import SIGNER
from tests.support.clock import START, ManualClock
from tests.support.trust import GRANT

TOPICS = Topics()
LANE = LaneId(TOPICS.conversations, 0)
STREAMS = {TOPICS.conversations: Stream.CONVERSATIONS, TOPICS.conferences: Stream.CONFERENCES}
CHECKER = Ed25519Checker([SIGNER.public])


@pytest.fixture
async def archive(own: Database) -> Database:
    """An archive of two commits, with a policy, records in quarantine of which one is discarded, a deleted item."""
    clock = ManualClock()
    values = {
        Subject(SubjectKind.CONFIGURATION, GLOBAL): ArchivingConfiguration(enable_archiving=ArchivedSessions.IM_ONLY)
    }
    changes = await MongoPolicies(own, clock, SIGNER).change(GRANT, values, START - timedelta(days=999))
    governance = Governance(PolicyBook(changes))
    store = MongoQuarantine(own, clock, SIGNER)
    bad = [Record(TOPICS.conversations, 0, 0, 0, b"k", (), value) for value in (b"no event", b"nor this")]
    records = [record._replace(offset=place) for place, record in enumerate([*simulate(20, 1, 3, TOPICS), *bad])]
    decoded = decode_all(records, STREAMS, record_bytes_max=1 << 20)
    half = len(decoded) // 2
    first = fold(Checkpoint(LANE, 0), decoded[:half], {}, {}, governance=governance)
    await store.commit(GRANT, first)
    known = await store.load({one.id for one in first.conversations})
    await store.commit(GRANT, fold(Checkpoint(LANE, half), decoded[half:], known, {}, governance=governance))
    await store.discard(GRANT, [f"{LANE}/{len(records) - 1}"], "no use")
    item = await own["items"].find_one({})
    assert item is not None
    await MongoMailboxes(own, clock, SIGNER).delete(GRANT, item["mailbox"], item["_id"])
    return own


async def found(archive: Database, conversation: str | None = None) -> list[Finding]:
    auditor = MongoAuditor(archive, content_database(archive), CHECKER)
    return [finding async for finding in auditor.findings(conversation)]


async def test_an_archive_that_nobody_touched_is_as_it_was_written(archive: Database) -> None:
    assert await found(archive) == []
    some = await archive["conversations"].find_one({})
    assert some is not None
    assert await found(archive, some["_id"]) == []


async def test_a_conversation_that_never_was_is_not_called_intact(archive: Database) -> None:
    """A misspelt id is said to be none; all that was deleted of a real one stays a finding."""
    with pytest.raises(NotFound, match="no conversation misspelt"):
        await found(archive, "misspelt")
    segment = await _last_segment(archive)
    name = segment["_id"]["conversation"]
    await archive["conversations"].delete_one({"_id": name})
    await archive["segments"].delete_many({"_id.conversation": name})
    for collection in ("items", "purges"):
        await archive[collection].delete_many({"conversation": name})
    findings = await found(archive, name)
    assert {finding.collection for finding in findings} == {"journal"}


async def test_a_journal_of_another_key_is_not_taken(archive: Database) -> None:
    other = Ed25519Checker([read_signer(new_key()).public])
    auditor = MongoAuditor(archive, content_database(archive), other)
    first = await anext(aiter(auditor.findings()))
    assert first.collection == "journal"
    assert "not signed by a key that is known" in first.problem


async def test_an_archive_that_was_set_back_whole_is_told_by_heads_that_were_noted(archive: Database) -> None:
    """Its last session with all that vouches for it cut off, it is intact as of then; noted heads say otherwise."""
    await MongoSessions(archive, SystemClock(), SIGNER).record(Session(START, "signature", "t1"))
    before = {name: [one async for one in archive[name].find()] for name in ("sessions", "journal", "heads")}
    await MongoSessions(archive, SystemClock(), SIGNER).record(Session(START, "signature", "t2"))
    auditor = MongoAuditor(archive, content_database(archive), CHECKER)
    assert [finding async for finding in auditor.findings()] == []
    noted = auditor.heads
    assert [finding async for finding in auditor.findings(None, noted)] == []
    for name, documents in before.items():
        await archive[name].delete_many({})
        await archive[name].insert_many(documents)
    assert await found(archive) == []
    (told,) = [finding async for finding in auditor.findings(None, noted)]
    assert (told.collection, told.document) == ("journal", "sessions/2")


async def _last_segment(archive: Database) -> dict[str, Any]:
    """Return the last of the segments of a conversation that has several."""
    latest = await archive["segments"].find_one({"ordinal": {"$gt": 1}}, sort=[("ordinal", -1)])
    assert latest is not None
    return dict(latest)


async def _reworded(archive: Database) -> str:
    """What somebody said, with a byte changed."""
    segment = await _last_segment(archive)
    await archive["segments"].update_one(
        {"_id": segment["_id"]}, {"$set": {"events": segment["events"].replace("e", "a", 1)}}
    )
    return "segments"


async def _cut(archive: Database) -> str:
    """The end of a conversation, as if nobody had said it; its head set back."""
    segment = await _last_segment(archive)
    await archive["segments"].delete_one({"_id": segment["_id"]})
    change = {"$set": {"head": segment["previous"]}, "$inc": {"segments": -1}}
    await archive["conversations"].update_one({"_id": segment["_id"]["conversation"]}, change)
    return "journal"


async def _shown(archive: Database) -> str:
    """One more thing that somebody may see."""
    await archive["items"].update_one({"deleted": None}, {"$set": {"visible": [[1, None]], "mailbox": "sip:eve@x"}})
    return "items"


async def _undeleted(archive: Database) -> str:
    await archive["items"].update_one({"deleted": {"$ne": None}}, {"$unset": {"deleted": ""}})
    return "items"


async def _forgotten(archive: Database) -> str:
    """A record in quarantine, gone."""
    await archive["quarantine"].delete_one({"state": "quarantined"})
    return "quarantine"


async def _restored(archive: Database) -> str:
    await archive["quarantine"].update_one({"state": "discarded"}, {"$set": {"state": "quarantined"}})
    return "quarantine"


async def _permitted(archive: Database) -> str:
    await archive["policies"].update_one({}, {"$set": {"value.enable_archiving": "none"}})
    return "policies"


async def _trusted(archive: Database) -> str:
    await archive["partners"].update_one({}, {"$set": {"roles": ["everything"]}})
    return "partners"


async def _rewound(archive: Database) -> str:
    await archive["checkpoints"].update_one({}, {"$inc": {"next": -1}})
    return "checkpoints"


async def _shortened(archive: Database) -> str:
    """The last act, with its head set back."""
    last = await archive["journal"].find_one({"_id.chain": "acts"}, sort=[("_id", -1)])
    assert last is not None
    await archive["journal"].delete_one({"_id": last["_id"]})
    back = {"$set": {"number": last["_id"]["number"] - 1, "hash": last["previous"]}}
    await archive["heads"].update_one({"_id": "acts"}, back)
    return "items"


async def _renamed(archive: Database) -> str:
    await archive["mailboxes"].update_one({}, {"$set": {"named.name": "Somebody Else"}})
    return "mailboxes"


Tampering = Callable[[Database], Awaitable[str]]


@pytest.mark.parametrize(
    "tamper",
    [
        _reworded,
        _cut,
        _shown,
        _undeleted,
        _forgotten,
        _restored,
        _permitted,
        _trusted,
        _rewound,
        _shortened,
        _renamed,
    ],
)
async def test_what_is_tampered_with_is_named(archive: Database, tamper: Tampering) -> None:
    collection = await tamper(archive)
    findings = await found(archive)
    assert collection in {finding.collection for finding in findings}


@pytest.mark.parametrize("deletes", [False, True])
async def test_an_item_that_lapsed_is_no_finding(own: Database, deletes: bool) -> None:
    """Nor is one that its user deleted before, or that is shown again; one that is put back is."""
    clock, store = ManualClock(), MongoQuarantine(own, ManualClock(), SIGNER)
    for history_on, since_s in ((True, 0), (False, 2.5), (True, 4.5)):
        since = START + timedelta(seconds=since_s)
        await MongoPolicies(own, clock, SIGNER).change(GRANT, governing(history=history_on), since)
    first, on, off, again = history(started(BOB, CAROL), joined(ALICE), joined(ALICE), joined(ALICE))
    for late in ([first, again], [off], [on]):
        governance = Governing(store)
        await governance.refresh()
        await store.commit(GRANT, await batch_of(store, late, governance=governance.current))
        assert await found(own) == []
        item = await own["items"].find_one({"mailbox": ALICE.sip})
        if item is not None and deletes and item.get("deleted") is None:
            await MongoMailboxes(own, clock, SIGNER).delete(GRANT, ALICE.sip, item["_id"])
            assert await found(own) == []


async def test_a_copy_that_came_back_without_its_mark_is_no_finding(own: Database) -> None:
    """A copy goes with whoever comes from outside, and comes back, unexported, where they turn out to be of here."""
    clock, store = ManualClock(), MongoRetention(own, ManualClock(), SIGNER)
    await MongoPolicies(own, clock, SIGNER).change(GRANT, governing(), START)
    records = history(activated(), came(BOB), came(CAROL, Origin.FEDERATED), came(CAROL))
    for few in (records[:2], records[2:3], records[3:]):
        governance = Governing(store)
        await governance.refresh()
        await store.commit(GRANT, await batch_of(store, few, CONFERENCES, governance.current))
        copies = [copy["_id"] async for copy in own["purges"].find({})]
        assert len(copies) == (0 if few == records[2:3] else 1)
        assert await found(own) == []
        await store.mark_exported(GRANT, dict.fromkeys(copies, 1))
        assert await found(own) == []
    await own["purges"].update_one({}, {"$set": {"exported.segments": 9}})
    assert len(await found(own)) == 1
