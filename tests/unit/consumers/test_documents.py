"""What earlier releases wrote is read: nobody sees more by it than they might."""

from typing import Any

import pytest

from consumers.conversation import Member, Move
from consumers.mongo.documents import item_document, item_of
from consumers.mongo.rosters import members_of, roster_document, undelivered_of
from schemas.events import Role
from schemas.meetings import Origin
from tests import builders as b
from tests.builders import ALICE
from tests.unit.consumers.test_fold import folded, only


def earlier(role: Role, *moves: tuple[int, bool]) -> dict[str, Any]:
    """Return a member as layout 3 kept it."""
    listed = [[sequence, b.at(sequence), present] for sequence, present in moves]
    facts = {"sip": ALICE.sip, "name": "Alice", "role": str(role), "named_by": 2, "named_at": b.at(2), "missed": None}
    return {"members": [{**facts, "moves": listed}]}


@pytest.mark.parametrize("role", Role)
def test_of_a_member_without_roles_the_first_coming_has_the_one_of_the_name(role: Role) -> None:
    """Later comings are taken for an attendee's; everybody was of the organisation."""
    member = members_of(earlier(role, (2, True), (4, False), (6, True)))[ALICE.sip]
    first = role is Role.PRESENTER
    assert member.moves == (Move(2, b.at(2), True, first), Move(4, b.at(4), False), Move(6, b.at(6), True, False))
    assert member.origin is Origin.INTERNAL


def test_of_a_member_who_never_came_nothing_says_an_origin() -> None:
    """As for one of whom a leave alone is known."""
    assert members_of(earlier(Role.ATTENDEE, (4, False)))[ALICE.sip].origin is None


def test_what_a_layout_added_may_be_absent() -> None:
    """An item without roles and failures shows nothing for presenters, and all messages."""
    batch = folded(b.history(b.activated(), b.came(ALICE), b.appointed(ALICE), b.failed(2, ALICE)))
    (item,) = batch.items
    document = {"_id": item.id, **item_document(item)}
    assert item_of(document) == item
    before = {name: value for name, value in document.items() if name not in {"presented", "undelivered"}}
    assert item_of(before) == item._replace(presented=(), undelivered=())
    assert undelivered_of({}) == {}


def test_a_roster_comes_back() -> None:
    """Every move with its role, every origin, every failure."""
    steps = [b.came(ALICE, Origin.PSTN), b.appointed(ALICE), b.departed(ALICE), b.departed(b.BOB), b.failed(2, b.CAROL)]
    conversation = only(folded(b.history(b.activated(), *steps)))
    document = roster_document(conversation)
    assert members_of(document) == conversation.members
    assert undelivered_of(document) == conversation.undelivered
    assert isinstance(conversation.members[ALICE.sip], Member)
