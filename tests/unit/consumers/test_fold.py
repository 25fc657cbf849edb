"""The fold: what becomes of each record, and what a batch changes."""

from collections.abc import Iterable
from itertools import permutations

import pytest

from consumers import draft
from consumers.batch import ZERO, Batch, Checkpoint, Counts
from consumers.conversation import Conversation
from consumers.fold import fold, recalls
from consumers.transitions import Phase
from schemas.errors import Cause
from schemas.events import EventData
from schemas.record import Record
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    CONVERSATIONS,
    THREAD,
    activated,
    at,
    broken,
    call_ended,
    called,
    decoded,
    ended,
    entered,
    history,
    joined,
    left,
    message,
    missed,
    person,
    record,
    started,
)
from tests.support.clock import START

TALK = history(started(), message(ALICE, "one"), message(BOB, "two"), left(BOB), ended())


def folded(records: Iterable[Record], *before: Batch) -> Batch:
    """Fold records on top of what these batches stored."""
    known = {found.id: found for batch in before for found in batch.conversations}
    events = {
        (piece.conversation, event.sequence): event
        for batch in before
        for piece in batch.segments
        for event in piece.events
    }
    start = Checkpoint(CONVERSATIONS, before[-1].end if before else 0, ZERO, before[-1].watermark if before else None)
    run = decoded(records, start.next)
    return fold(start, run, known, {place: events[place] for place in recalls(run, known)})


def causes(batch: Batch) -> list[Cause]:
    return [entry.cause for entry in batch.quarantine]


def only(batch: Batch) -> Conversation:
    (conversation,) = batch.conversations
    return conversation


def test_a_whole_conversation() -> None:
    """A conversation in order is complete, in one segment, with an item for each party."""
    batch = folded(TALK)
    conversation = only(batch)
    assert (batch.start, batch.end, batch.counts) == (0, 5, Counts(archived=5))
    assert (conversation.phase, conversation.complete, conversation.gaps) == (Phase.ENDED, True, ())
    assert (conversation.messages, conversation.first_message, conversation.last_at) == (2, 2, at(5))
    assert [(piece.first, piece.last) for piece in batch.segments] == [(1, 5)]
    assert {item.mailbox: item.visible for item in batch.items} == {ALICE.sip: ((1, None),), BOB.sip: ((1, 4),)}
    assert batch.rosters == {"c1"}
    assert batch.watermark == START.replace(second=5)


def test_reports_by_several_devices_are_one_event() -> None:
    """The same event from other devices, within a batch or later, is a duplicate and changes nothing."""
    other = record(2, message(ALICE, "one"), source="pool/bob/phone", at_s=2.5)
    first = folded([*TALK, other, TALK[0]])
    assert (first.counts, first.quarantine) == (Counts(archived=5, duplicate=2), ())
    second = folded([other, TALK[4]], first)
    assert (second.counts, second.conversations, second.segments) == (Counts(duplicate=2), (), ())
    assert (second.start, second.end, second.watermark) == (7, 9, first.watermark)


@pytest.mark.parametrize(
    "other",
    [
        record(2, message(ALICE, "one"), event_id="another"),
        record(2, message(ALICE, "changed")),
        record(2, joined(ALICE)),
    ],
    ids=["id", "content", "type"],
)
def test_another_event_at_a_held_sequence_is_a_conflict(other: Record) -> None:
    """What came first stays; an event that differs in id, content or type is quarantined, whole."""
    together = folded([*TALK, other])
    assert (causes(together), together.counts) == ([Cause.SEQUENCE_CONFLICT], Counts(archived=5, quarantined=1))
    later = folded([other], folded(TALK))
    assert causes(later) == [Cause.SEQUENCE_CONFLICT]
    assert later.quarantine[0].record == other._replace(offset=5)
    assert later.conversations == ()


def test_records_that_say_nothing_are_quarantined_in_order() -> None:
    """Undecodable records count and go into quarantine; the others go on."""
    batch = folded([broken(), TALK[0], broken(), TALK[1]])
    assert batch.counts == Counts(archived=2, quarantined=2)
    assert [(entry.record.offset, entry.cause) for entry in batch.quarantine] == [
        (0, Cause.MALFORMED_HEADERS),
        (2, Cause.MALFORMED_HEADERS),
    ]


def test_gaps_show_until_late_events_fill_them() -> None:
    """A hole is known as soon as something above it is held, and closes with the late event."""
    first = folded([TALK[0], TALK[4]])
    assert (only(first).gaps, only(first).complete) == (((2, 4),), False)
    second = folded([TALK[2]], first)
    assert only(second).gaps == ((2, 2), (4, 4))
    third = folded([TALK[3], TALK[1]], first, second)
    assert (only(third).gaps, only(third).complete, only(third).held) == ((), True, ((1, 5),))
    assert (only(third).revision, only(third).segments) == (3, 5)
    assert third.segments[0].previous == only(second).head


def test_a_late_first_message_replaces_what_the_missed_item_holds() -> None:
    """The first message is the one with the least sequence, whenever it comes."""
    talk = history(started(ALICE, invited=[BOB]), message(ALICE, "1"), message(ALICE, "2"), missed(BOB))
    first = folded([talk[0], talk[2], talk[3]])
    second = folded([talk[1]], first)
    shown = [{item.mailbox: item.visible for item in batch.items} for batch in (first, second)]
    assert [found[BOB.sip] for found in shown] == [((3, 3),), ((2, 2),)]
    assert second.rosters == frozenset()


def test_nothing_comes_after_the_end() -> None:
    """A sequence above the end is refused; one below it is late, not wrong."""
    batch = folded([TALK[4], record(6, message()), TALK[1]])
    assert causes(batch) == [Cause.AFTER_END]
    assert only(batch).held == ((2, 2), (5, 5))


def test_an_end_below_something_held_is_refused() -> None:
    """An end that would make an archived event impossible is quarantined."""
    batch = folded([TALK[0], record(6, message()), TALK[4]])
    assert causes(batch) == [Cause.AFTER_END]
    assert (only(batch).phase, only(batch).ending) == (Phase.OPEN, None)


@pytest.mark.parametrize(
    "second",
    [record(4, ended(4)), record(6, ended(6))],
    ids=["lower", "higher"],
)
def test_a_second_end_is_refused(second: Record) -> None:
    """A conversation ends once."""
    assert causes(folded([TALK[4], second])) == [Cause.ILLEGAL_TRANSITION]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (started(conversation="x1"), call_ended(2, conversation="x1")),
        (called(conversation="x1"), message(conversation="x1")),
        (started(conversation="x1"), entered(ALICE, conversation="x1")),
    ],
    ids=["call in conversation", "message in call", "conference in conversation"],
)
def test_kinds_do_not_mix(first: EventData, second: EventData) -> None:
    """A conversation id is of one kind; an event of another is refused."""
    batch = folded([record(1, first), record(2, second)])
    assert causes(batch) == [Cause.ILLEGAL_TRANSITION]
    assert only(batch).held == ((1, 1),)


def test_a_conversation_may_have_so_many_holes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that would make one hole too many is quarantined, and later ones that fill holes are not."""
    monkeypatch.setattr(draft, "GAPS_MAX", 2)
    batch = folded([TALK[0], TALK[2], TALK[4], TALK[1]])
    assert causes(batch) == [Cause.TOO_MANY_GAPS]
    assert only(batch).held == ((1, 3),)


def test_a_conversation_may_have_so_many_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that would bring one person too many is quarantined; those who are known come and go."""
    monkeypatch.setattr(draft, "PARTICIPANTS_MAX", 2)
    batch = folded([TALK[0], record(2, joined(CAROL)), record(3, left(BOB)), record(4, joined(BOB))])
    assert causes(batch) == [Cause.TOO_MANY_PARTICIPANTS]
    assert only(batch).members.keys() == {ALICE.sip, BOB.sip}
    assert causes(folded([record(1, started(ALICE, BOB, invited=[CAROL]))])) == [Cause.TOO_MANY_PARTICIPANTS]


def test_a_refused_record_changes_nothing() -> None:
    """A batch of refusals alone has no conversation, no item and no mailbox, and advances."""
    first = folded(TALK)
    batch = folded([record(6, message()), broken()], first)
    assert (batch.conversations, batch.segments, batch.items, batch.mailboxes) == ((), (), (), ())
    assert (batch.start, batch.end, batch.counts) == (5, 7, Counts(quarantined=2))


def test_escalation_keeps_the_thread() -> None:
    """A conversation and the conference it grew into are two items with one thread."""
    talk = folded(history(started(), message()))
    meeting = folded(history(activated(escalated_from="c1"), entered(ALICE), entered(BOB), entered(CAROL)))
    assert {item.thread for item in (*talk.items, *meeting.items)} == {THREAD}
    assert {item.conversation for item in (*talk.items, *meeting.items)} == {"c1", "m1"}


def test_occurrences_of_a_recurring_meeting_are_apart() -> None:
    """Two instances of one meeting are two conversations and two items of one mailbox."""
    uri = "sip:alice@contoso.com;gruu;opaque=app:conf:focus:id:ABC"
    batch = folded(
        [
            found
            for name in ("m1", "m2")
            for found in history(
                activated(conversation=name, conference_uri=uri, instance=name), entered(BOB, conversation=name)
            )
        ]
    )
    assert [item.conversation for item in batch.items] == ["m1", "m2"]
    assert len({item.id for item in batch.items}) == 2


def test_a_name_is_the_one_of_the_earliest_event() -> None:
    """Who is named twice has the name of the earlier time, of equal times the lesser name, in any order of arrival."""
    early, late = (
        record(4, joined(person("carol", "Carol")), at_s=2),
        record(2, joined(person("carol", "Cara")), at_s=3),
    )
    same = record(5, joined(person("carol", "Carolus")), at_s=2)
    for order in permutations([TALK[0], early, late, same]):
        member = only(folded(order)).members[CAROL.sip]
        assert (member.name, member.named_at, member.named_by) == ("Carol", at(2), 2)
    first = folded([same, late])
    second = folded([early], first)
    assert [use.name for batch in (first, second) for use in batch.mailboxes] == ["Carolus", "Carol"]


def test_only_what_is_held_is_recalled() -> None:
    """The fold asks for the stored events that arriving ones stand for again, and for no others."""
    known = {"c1": only(folded(TALK[:2]))}
    run = decoded([TALK[1], TALK[2], broken(), record(1, started(conversation="c2"))])
    assert recalls(run, known) == {("c1", 2)}
