"""Which folder, class, subject and status a conversation has for each person."""

from datetime import timedelta

import pytest

from consumers.conversation import Conversation
from consumers.copy import Copy
from consumers.draft import Draft
from consumers.filing import file_copies, file_item, item_id
from consumers.folder import FolderId
from consumers.item import Item, ItemClass, Status
from consumers.policy.book import PolicyBook
from consumers.policy.governance import Governance, came_at
from consumers.policy.subject import GLOBAL, SubjectKind
from consumers.transitions import KINDS
from schemas.events import EventData, Participant
from schemas.policies import ArchivingConfiguration
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    THREAD,
    activated,
    at,
    call_missed,
    called,
    departed,
    entered,
    event,
    joined,
    left,
    message,
    missed,
    numbered,
    person,
    started,
    topic,
)
from tests.support.clock import START
from tests.support.policies import changes


def after(*steps: EventData) -> Conversation:
    """Return the conversation that these steps make."""
    folding = Draft(Conversation(steps[0].conversation, KINDS[type(steps[0])]))
    for sequence, data in numbered(steps):
        folding.add(event(sequence, data))
    return folding.finish(1, b"")


def item(conversation: Conversation, who: Participant) -> Item | None:
    return file_item(conversation, conversation.members[who.sip])


def test_a_conversation_lies_in_conversation_history() -> None:
    """Both parties have an archived item in Conversation History, each named after the other."""
    talk = after(started(), message())
    assert item(talk, BOB) == Item(
        id=item_id(BOB.sip, "c1"),
        mailbox=BOB.sip,
        folder=FolderId.CONVERSATION_HISTORY,
        conversation="c1",
        kind=talk.kind,
        item_class=ItemClass.CONVERSATION,
        subject="Conversation with Alice",
        status=Status.ARCHIVED,
        thread=THREAD,
        started_at=at(1),
        visible=((1, None),),
    )


def test_a_missed_conversation() -> None:
    """Who never answered has a missed item that shows the first message."""
    found = item(after(started(ALICE, invited=[BOB]), message(), missed(BOB)), BOB)
    assert found is not None
    assert (found.item_class, found.status) == (ItemClass.MISSED, Status.MISSED)
    assert found.folder is FolderId.CONVERSATION_HISTORY
    assert found.subject == "Missed conversation with Alice"
    assert found.visible == ((2, 2),)


def test_who_came_after_all_has_an_archived_item() -> None:
    """Joining later makes the missed item an ordinary one, with the same id."""
    before = after(started(ALICE, invited=[BOB]), message(), missed(BOB))
    later = after(started(ALICE, invited=[BOB]), message(), missed(BOB), joined(BOB))
    was, found = item(before, BOB), item(later, BOB)
    assert was is not None
    assert found is not None
    assert (found.id, found.item_class, found.status) == (was.id, ItemClass.CONVERSATION, Status.ARCHIVED)
    assert found.visible == ((4, None),)


def test_calls() -> None:
    """A call leaves voice items without content, a missed one as well."""
    call = after(called(ALICE, invited=[BOB, CAROL]), call_missed(BOB))
    caller, callee = item(call, ALICE), item(call, BOB)
    assert caller is not None
    assert callee is not None
    assert (caller.item_class, caller.subject) == (ItemClass.CALL, "Call with Bob, Carol")
    assert (callee.item_class, callee.subject) == (ItemClass.MISSED_CALL, "Missed call from Alice, Carol")
    assert (callee.status, callee.visible) == (Status.MISSED, ())
    assert {caller.folder, callee.folder} == {FolderId.CONVERSATION_HISTORY}


def test_who_was_only_invited_has_no_item() -> None:
    """An invitation alone leaves nothing in a mailbox, and neither does a leave of somebody who never came."""
    talk = after(started(ALICE, invited=[BOB]), message(), left(CAROL))
    assert item(talk, BOB) is None
    assert item(talk, CAROL) is None


@pytest.mark.parametrize(
    ("opening", "subject"),
    [
        (activated(subject="Budget 2027", organizer=ALICE), "Budget 2027"),
        (activated(organizer=ALICE), "Conference organized by Alice"),
        (activated(), "Conference"),
    ],
)
def test_conferences(opening: EventData, subject: str) -> None:
    """A conference lies in Web Conferencing History, under its subject or else its organizer's name."""
    found = item(after(opening, entered(BOB), topic(), departed(BOB)), BOB)
    assert found is not None
    assert found.folder is FolderId.WEB_CONFERENCING_HISTORY
    assert (found.item_class, found.subject, found.visible) == (ItemClass.CONVERSATION, subject, ((2, 4),))


def test_the_organizer_who_never_came_has_no_item() -> None:
    """Organizing is not being present."""
    assert ALICE.sip not in after(activated(organizer=ALICE), entered(BOB)).members


def test_a_long_subject_counts_the_rest() -> None:
    """Five names stand in a subject, in the order of the opening event; the others are counted."""
    people = [person(f"user{number}") for number in range(8)]
    found = item(after(started(*people)), people[2])
    assert found is not None
    assert found.subject == "Conversation with User0, User1, User3, User4, User5 and 2 more"


def test_without_the_opening_event_there_is_an_item_without_its_facts() -> None:
    """What came before the opening event is filed at once; subject, thread and start follow with it."""
    folding = Draft(Conversation("c1", KINDS[type(joined(BOB))]))
    folding.add(event(3, joined(BOB)))
    early = folding.finish(1, b"")
    found = item(early, BOB)
    assert found is not None
    assert (found.subject, found.thread, found.started_at) == ("", "", None)

    folding = Draft(early._replace(revision=1))
    folding.add(event(1, started(ALICE, invited=[BOB])))
    complete = item(folding.finish(2, b""), BOB)
    assert folding.touched == {ALICE.sip, BOB.sip}
    assert complete is not None
    assert (complete.id, complete.subject, complete.started_at) == (found.id, "Conversation with Alice", at(1))


def test_item_ids_are_functions_of_mailbox_and_conversation() -> None:
    """The same pair has the same id, and moving text between the two gives another."""
    assert item_id("a", "b") == item_id("a", "b")
    assert len({item_id("ab", "c"), item_id("a", "bc"), item_id("a", "b"), item_id("b", "a")}) == 4


def test_somebody_whom_nothing_names_yet_is_governed_by_their_leave() -> None:
    """A leave that comes before its join, with policies in force, is decided by its own time."""
    book = PolicyBook(changes([(SubjectKind.CONFIGURATION, GLOBAL, ArchivingConfiguration())]))
    talk = Conversation("c1", KINDS[type(left(ALICE))])
    folding = Draft(talk)
    folding.add(event(2, left(ALICE)))
    late = folding.finish(1, b"")
    assert came_at(late.members[ALICE.sip]) == START + timedelta(seconds=2)
    copies: list[Copy] = []
    file_copies(late, talk, {ALICE.sip}, Governance(book), copies)
    assert copies == []
