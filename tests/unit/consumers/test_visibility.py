"""Who sees what: from each join to the leave that follows."""

from dataclasses import replace

import pytest

from consumers.conversation import Conversation, Member, Move
from consumers.item import Visible
from consumers.transitions import Kind
from consumers.visibility import sees, stints, visible
from schemas.events import Role

TALK = Conversation("c1", Kind.CONVERSATION, first_message=2)
ALICE = Member("sip:alice@contoso.com", "Alice", Role.ATTENDEE, 1, "")


def moved(*moves: int) -> tuple[Move, ...]:
    """Positive is a join at that sequence, negative a leave."""
    return tuple(Move(abs(move), "", move > 0) for move in moves)


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ((), ()),
        ((1,), ((1, None),)),
        ((1, -5), ((1, 5),)),
        ((1, -5, 8), ((1, 5), (8, None))),
        ((1, -5, 8, -9), ((1, 5), (8, 9))),
        ((1, 3, -5), ((1, 5),)),
        ((-2, 3), ((3, None),)),
        ((1, -4, -6), ((1, 4),)),
        ((-2,), ()),
    ],
    ids=["never there", "stays", "leaves", "rejoins", "twice", "repeated join", "leave absent", "leaves twice", "left"],
)
def test_presence_makes_ranges(moves: tuple[int, ...], expected: Visible) -> None:
    """Each stay is one range, both ends included; repeated joins and leaves of the absent change nothing."""
    member = replace(ALICE, moves=moved(*moves))
    assert visible(TALK, member) == expected
    assert [(stay.joined.sequence, stay.left and stay.left.sequence) for stay in stints(member.moves)] == list(expected)


def test_a_missed_conversation_shows_its_first_message() -> None:
    """Somebody who never came sees the message that the invitation showed them, and nothing else."""
    assert visible(TALK, replace(ALICE, missed=4)) == ((2, 2),)


def test_a_missed_conversation_without_a_message_shows_nothing() -> None:
    """Until a first message is held there is nothing to show."""
    assert visible(TALK._replace(first_message=None), replace(ALICE, missed=4)) == ()


@pytest.mark.parametrize("kind", [Kind.CALL, Kind.CONFERENCE])
def test_only_two_party_conversations_show_a_first_message(kind: Kind) -> None:
    """A missed call has no message that anybody saw."""
    assert visible(TALK._replace(kind=kind), replace(ALICE, missed=4)) == ()


def test_who_came_after_all_sees_their_stay_only() -> None:
    """A person who is reported missing and joins later sees what they were present for."""
    assert visible(TALK, replace(ALICE, missed=4, moves=moved(6))) == ((6, None),)


def test_sees_takes_both_ends_in() -> None:
    """A range covers its first and its last sequence, and an open one everything from its first on."""
    ranges = ((2, 3), (6, None))
    assert [number for number in range(1, 9) if sees(ranges, number)] == [2, 3, 6, 7, 8]
