"""Meetings as their participants read them, from a real server (domain reference, section 10, seed 10)."""

from collections.abc import Iterable
from typing import Any

from consumers.mongo.layout import Database
from consumers.mongo.reader import MongoReader
from consumers.mongo.store import MongoStore
from deploy.export import mailbox_documents
from schemas.events import Audience, Participant, Role
from schemas.meetings import Origin
from schemas.record import Record
from tests import builders as b
from tests.builders import ALICE, BOB, CAROL, DAVE, THREAD
from tests.contract.store_contract import archive
from tests.support.audit import SIGNER
from tests.support.clock import ManualClock

PRESENTER = b.person("alice", role=Role.PRESENTER)
SERIES = "sip:alice@contoso.com;gruu;opaque=app:conf:focus:id:ABC"


async def read(own: Database, records: Iterable[Record], *people: Participant) -> list[list[dict[str, Any]]]:
    """Archive the records in batches of three, and return what each of the people exports of their mailbox."""
    store, rest = MongoStore(own, ManualClock(), SIGNER), list(records)
    for start in range(0, len(rest), 3):
        await archive(store, rest[start : start + 3])
    reader = MongoReader(own)
    return [[document async for document in mailbox_documents(reader, who.sip)] for who in people]


async def test_an_escalation_keeps_its_thread(own: Database) -> None:
    """The conversation between two and the conference it grew into are two items of one thread."""
    talk = b.history(b.started(), b.message())
    meeting = b.history(b.activated(escalated_from="c1"), b.came(ALICE), b.came(BOB), b.came(CAROL), b.said())
    alice, carol = await read(own, [*talk, *meeting], ALICE, CAROL)
    assert {(item["conversation"], item["thread"]) for item in alice} == {("c1", THREAD), ("m1", THREAD)}
    assert [item["conversation"] for item in carol] == ["m1"]


async def test_occurrences_of_a_recurring_meeting_are_apart(own: Database) -> None:
    """Each has its item and its lines, though they have one URI."""
    records = [
        record
        for name in ("m1", "m2")
        for record in b.history(
            b.activated(name, conference_uri=SERIES, instance=name),
            b.came(BOB, conversation=name),
            b.said(BOB, name, name),
        )
    ]
    (bob,) = await read(own, records, BOB)
    assert {item["conversation"]: item["entries"][-1]["text"] for item in bob} == {"m1": "m1", "m2": "m2"}
    assert len({item["id"] for item in bob}) == 2


async def test_a_rejoin_gives_two_rows(own: Database) -> None:
    """Two comings of one person: two joins and two stays, and nothing of what was said in between."""
    steps = [
        b.came(ALICE),
        b.came(BOB),
        b.departed(BOB),
        b.said(ALICE, "in between"),
        b.came(BOB),
        b.said(ALICE, "again"),
    ]
    (bob,) = await read(own, b.history(b.activated(), *steps), BOB)
    (item,) = bob
    (own,) = [person for person in item["participants"] if person["sip"] == BOB.sip]
    assert own["joined"] == [[b.at(3), b.at(4)], [b.at(6), None]]
    kinds = [entry["kind"] for entry in item["entries"] if entry["sip"] == BOB.sip]
    assert kinds == ["join", "leave", "join"]
    assert [entry["text"] for entry in item["entries"] if entry["kind"] == "message"] == ["again"]


async def test_each_reads_what_is_for_them(own: Database) -> None:
    """Presenters the lobby and hidden files; nobody a message that did not reach them; outsiders have no mailbox."""
    secret = b.revealed(b.reference(b"x", "secret.txt"), Audience.PRESENTERS)
    steps = [
        b.came(PRESENTER),
        b.came(BOB),
        b.came(DAVE, Origin.FEDERATED),
        b.waited(CAROL),
        secret,
        b.said(ALICE, "hi"),
    ]
    records = b.history(b.activated(), *steps, b.failed(7, BOB, DAVE), b.appointed(BOB), b.waited(CAROL))
    alice, bob = await read(own, reversed(records), ALICE, BOB)
    read_by = [
        [(entry["kind"], entry["text"]) for entry in item["entries"] if entry["kind"] != "join"]
        for (item,) in (alice, bob)
    ]
    lobby = ("lobby", "entered")
    failure = ("delivery-failed", f"{BOB.sip}, {DAVE.sip}")
    promoted = ("role", "presenter")
    assert read_by[0] == [lobby, ("content", "secret.txt"), ("message", "hi"), failure, promoted, lobby]
    assert read_by[1] == [promoted, lobby]
    assert {person["sip"] for person in bob[0]["participants"]} == {ALICE.sip, BOB.sip, DAVE.sip}
    assert {mailbox.user async for mailbox in MongoReader(own).mailboxes()} == {ALICE.sip, BOB.sip}
