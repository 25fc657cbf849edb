"""A conversation that is full: whatever still takes something away does, and is not kept without bound."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers import draft
from consumers.conversation import Conversation, Member
from consumers.draft import Draft
from consumers.roster import Roster
from consumers.transitions import Kind
from consumers.visibility import presented, visible
from schemas import meetings as mt
from schemas.envelope import Event
from schemas.errors import IllegalRecord
from schemas.events import EventData, Role
from tests import builders as b

LIMIT: Final = 4

steps: Final = st.sampled_from(
    [
        b.came(b.person("alice", role=Role.PRESENTER)),
        b.came(b.ALICE),
        b.departed(b.ALICE),
        b.departed(b.ALICE),
        b.ejected(b.ALICE),
        b.appointed(b.ALICE),
        b.appointed(b.ALICE, Role.ATTENDEE),
        b.appointed(b.ALICE, Role.ATTENDEE),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, min_size=8, max_size=24).flatmap(lambda drawn: st.permutations(list(enumerate(drawn, start=2)))))
def test_a_full_conversation_shows_the_same_and_grows_no_more(arriving: list[tuple[int, EventData]]) -> None:
    """What is shown is what all events that were taken say, in any order of arrival.

    Planted: of a full conversation nothing is noted; a later leave stays beside an earlier one; a coming gives way to a
    demotion; a demotion counts as a leave.
    """
    taken: list[Event] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draft, "MOVES_MAX", LIMIT)
        folded = Draft(Conversation("m1", Kind.CONFERENCE))
        for event in (b.event(sequence, data) for sequence, data in arriving):
            try:
                folded.add(event)
            except IllegalRecord:
                continue
            taken.append(event)
    conversation = folded.finish(1, b"")
    member, whole = conversation.members[b.ALICE.sip], _whole(taken)
    assert visible(conversation, member) == visible(conversation, whole)
    assert presented(conversation, member) == presented(conversation, whole)
    comings = sum(bool(move.present or move.presenter) for move in member.moves)
    assert len(member.moves) <= LIMIT + 2 * comings


def _whole(taken: list[Event]) -> Member:
    """Return the member with every move, however many."""
    roster = Roster({})
    for event in taken:
        match event.data:
            case mt.ConferenceJoinedV2(participant=person, origin=origin):
                roster.come(person, event.sequence, event.at, origin)
            case mt.ConferenceRoleChanged(sip=sip, role=role):
                roster.appoint(sip, role, event.sequence, event.at)
            case data:
                roster.go(data.sip, event.sequence, event.at)  # type: ignore[attr-defined]
    return roster.members[b.ALICE.sip]
