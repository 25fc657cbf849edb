"""What the fold makes of all that a conference leaves behind beside messages: for each type what it changes."""

import pytest

from consumers import draft, undelivered
from consumers.batch import Batch, Checkpoint
from consumers.content import Claim, ContentState, claims
from consumers.decoding import portioned
from consumers.fold import fold
from consumers.item import Item
from consumers.working_set import parts_of
from schemas import meetings as mt
from schemas.errors import Cause
from schemas.events import EventData, Role
from schemas.meetings import Origin
from tests import builders as b
from tests.builders import ALICE, BOB, CAROL, CONFERENCES, DAVE, record
from tests.unit.consumers.test_fold import causes, folded, only

PRESENTER = b.person("alice", role=Role.PRESENTER)


def items(*batches: Batch) -> dict[str, Item]:
    """Return the items that these batches leave, by owner."""
    return {item.mailbox: item for batch in batches for item in batch.items}


def after(*steps: EventData) -> dict[str, Item]:
    """Return the items of a conference in which this came to pass, from sequence 2 on."""
    return items(folded(b.history(b.activated(), *steps)))


def test_roles_count_from_their_own_sequence_on() -> None:
    """Of comings and changes of role the last says which role somebody has; before any they are attendees."""
    came, again = b.came(PRESENTER), b.came(ALICE)
    assert after(came)[ALICE.sip].presented == ((2, None),)
    assert after(again, b.appointed(ALICE))[ALICE.sip].presented == ((3, None),)
    demoted = after(came, b.appointed(ALICE, Role.ATTENDEE), b.said(), b.appointed(ALICE))
    assert demoted[ALICE.sip].presented == ((2, 2), (5, None))
    assert after(came, b.said(), again)[ALICE.sip].presented == ((2, 3),)
    assert after(b.entered(PRESENTER))[ALICE.sip].presented == ((2, None),)
    assert after(b.appointed(ALICE), b.said(), b.came(PRESENTER))[ALICE.sip].presented == ((2, None),)


def test_a_role_makes_nobody_present() -> None:
    """Somebody of whom nothing but a role is known has no item; their stay begins and ends by other events."""
    batch = folded(b.history(b.activated(), b.came(ALICE), b.appointed(DAVE), b.said()))
    assert items(batch).keys() == {ALICE.sip}
    assert only(batch).members.keys() == {ALICE.sip, DAVE.sip}
    assert after(b.came(ALICE), b.appointed(ALICE), b.departed(ALICE))[ALICE.sip].visible == ((2, 4),)


def test_who_is_ejected_sees_that_and_no_more() -> None:
    """As after a leave."""
    assert after(b.came(ALICE), b.came(BOB), b.ejected(BOB), b.said())[BOB.sip].visible == ((3, 4),)


def test_who_waits_is_nobody_here() -> None:
    """The lobby makes nobody a member, let in or not."""
    denied = mt.ConferenceLobbyDenied(conversation="m1", sip=CAROL.sip, by=ALICE.sip)
    batch = folded(b.history(b.activated(), b.came(ALICE), b.waited(BOB), b.admitted(BOB), denied))
    assert only(batch).members.keys() == {ALICE.sip}


@pytest.mark.parametrize("origin", [Origin.FEDERATED, Origin.ANONYMOUS, Origin.PSTN])
def test_outsiders_have_no_mailbox(origin: Origin) -> None:
    """They are in the record and have no item, until they come as somebody of the organisation once."""
    first = folded(b.history(b.activated(), b.came(ALICE), b.came(BOB, origin)))
    assert items(first).keys() == {ALICE.sip}
    assert {use.mailbox for use in first.mailboxes} == {ALICE.sip}
    assert only(first).members.keys() == {ALICE.sip, BOB.sip}
    assert set(first.reached()) == {ALICE.sip}
    second = folded([record(4, b.came(BOB))], first)
    assert items(second)[BOB.sip].visible == ((3, None),)
    third = folded([record(5, b.came(BOB, origin))], first, second)
    assert only(third).members[BOB.sip].origin is Origin.INTERNAL


def test_a_failure_may_come_before_its_message_and_its_recipient() -> None:
    """Whatever comes first, the recipient's item says which messages did not reach them, once each."""
    steps = b.history(b.activated(), b.came(ALICE), b.came(BOB), b.said(), b.failed(4, BOB), b.failed(4, BOB, CAROL))
    for order in (steps, steps[::-1], [steps[4], *steps[:4], steps[5]]):
        assert items(folded(order))[BOB.sip].undelivered == (4,)
    first = folded([steps[4], steps[0]])
    assert only(first).undelivered == {BOB.sip: (4,)}
    assert items(folded([steps[2]], first))[BOB.sip].undelivered == (4,)


def test_a_failure_writes_the_items_of_its_recipients() -> None:
    """Those who have one, and only where the failure says something new; the conversation says it is to be stored."""
    first = folded(b.history(b.activated(), b.came(ALICE), b.came(BOB), b.said()))
    second = folded([record(5, b.failed(4, BOB, DAVE))], first)
    assert items(second).keys() == {BOB.sip}
    assert second.rosters == {"m1"}
    assert only(second).undelivered == {BOB.sip: (4,), DAVE.sip: (4,)}
    assert items(folded([record(6, b.failed(4, BOB))], first, second)) == {}


def test_failures_are_kept_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """By sequence of what failed, and not too many of them, counted for each whom it did not reach."""
    monkeypatch.setattr(undelivered, "UNDELIVERED_MAX", 3)
    failures = [b.failed(7, BOB), b.failed(3, BOB), b.failed(5, BOB), b.failed(3, BOB), b.failed(9, BOB)]
    batch = folded(b.history(b.activated(), b.came(BOB), *failures))
    assert only(batch).undelivered == {BOB.sip: (3, 5, 7)}
    assert causes(batch) == [Cause.TOO_MANY_UNDELIVERED]
    monkeypatch.setattr(undelivered, "PARTICIPANTS_MAX", 1)
    assert causes(folded(b.history(b.activated(), b.failed(2, ALICE, BOB)))) == [Cause.TOO_MANY_UNDELIVERED]


def test_what_takes_away_is_never_refused_for_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the limit, who is ejected or demoted sees no more; a promotion beyond it is refused."""
    monkeypatch.setattr(draft, "MOVES_MAX", 2)
    steps = [b.came(PRESENTER), b.appointed(ALICE, Role.ATTENDEE), b.appointed(ALICE), b.ejected(ALICE)]
    batch = folded(b.history(b.activated(), *steps))
    assert causes(batch) == [Cause.TOO_MANY_MOVES]
    (item,) = batch.items
    assert (item.visible, item.presented) == (((2, 5),), ((2, 2),))


def test_a_role_counts_its_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody comes in by a role beyond the limit of people."""
    monkeypatch.setattr(draft, "PARTICIPANTS_MAX", 1)
    assert causes(folded(b.history(b.activated(), b.came(ALICE), b.appointed(BOB)))) == [Cause.TOO_MANY_PARTICIPANTS]


def test_a_file_that_is_shown_is_claimed() -> None:
    """A change of who may see a file refers to it as its upload does, and is a stub where the file is not there."""
    file = b.reference(b"shown")
    run = b.decoded(b.history(b.activated(), b.revealed(file)))
    claim = Claim(file.sha256, 5)
    assert claims(run) == {claim}
    batch = fold(Checkpoint(CONFERENCES, 0), run, {}, {}, {claim: ContentState.MISSING})
    assert [(one.sequence, one.state) for one in batch.attachments] == [(2, ContentState.MISSING)]
    assert causes(batch) == [Cause.CONTENT_MISSING]


def test_failures_count_as_parts_and_as_crowds() -> None:
    """What a conversation takes of the memory, and a batch of items, is bounded with failures as well."""
    first = folded(b.history(b.activated(), b.came(ALICE)))
    second = folded([record(3, b.failed(2, ALICE, BOB, CAROL))], first)
    assert parts_of(only(second)) - parts_of(only(first)) == 1 + 3
    crowd = [b.person(f"p{number}") for number in range(30)]
    records = [record(5, b.failed(2, *crowd, conversation=f"c{number}")) for number in range(5)]
    assert [len(portion) for portion in portioned(b.decoded(records), items_max=70)] == [2, 2, 1]
