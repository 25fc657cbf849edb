"""Whom an event is shown to: those present whom it is for."""

import pytest

from consumers.item import Item
from consumers.visibility import shown
from schemas import meetings as mt
from schemas.catalogue import ENDERS, MODELS, OPENERS, EventType
from schemas.events import Audience, EventData, Role
from tests import builders as b
from tests.builders import ALICE, BOB, CAROL
from tests.unit.consumers.test_whole_conferences import after

LOBBY = frozenset(
    {EventType.CONFERENCE_LOBBY_ENTERED, EventType.CONFERENCE_LOBBY_ADMITTED, EventType.CONFERENCE_LOBBY_DENIED}
)
ADDRESSED = frozenset(name for name, model in MODELS.items() if "audience" in model.model_fields)
PLAIN = sorted(
    name
    for name in EventType
    if name.startswith("lync.conference.")
    and name not in LOBBY | ADDRESSED | OPENERS | ENDERS | {EventType.CONFERENCE_DELIVERY_FAILED}
)


def attendee() -> Item:
    """Return the item of somebody who is present at 2 to 9, a presenter at 4 and 5, and whom 7 and 8 did not reach."""
    steps = (b.appointed(ALICE), b.said(), b.appointed(ALICE, Role.ATTENDEE), b.failed(7, ALICE, who=BOB), b.said())
    return after(b.came(ALICE), b.said(), *steps, b.departed(ALICE), b.failed(8, ALICE))[ALICE.sip]


def seen(data: EventData) -> list[int]:
    """Return at which sequences the item shows such an event."""
    return [number for number in range(1, 12) if shown(attendee(), b.event(2, data)._replace(sequence=number))]


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_for_all_is_shown_to_who_is_present(name: EventType) -> None:
    """Of messages all but those that did not reach the owner; of nothing else is anything withheld."""
    withheld = {7, 8} if name is EventType.CONFERENCE_MESSAGE else set()
    assert seen(b.example(MODELS[name])) == [number for number in range(2, 10) if number not in withheld]


@pytest.mark.parametrize("name", sorted(ADDRESSED))
def test_what_is_for_presenters_is_shown_to_presenters(name: EventType) -> None:
    """By the role that the owner has at its sequence; what is for everyone, to everyone present."""
    data = b.example(MODELS[name])
    assert seen(data.model_copy(update={"audience": Audience.EVERYONE})) == list(range(2, 10))
    assert seen(data.model_copy(update={"audience": Audience.PRESENTERS})) == [4, 5]


@pytest.mark.parametrize("name", sorted(LOBBY))
def test_the_lobby_is_shown_to_presenters(name: EventType) -> None:
    """Nobody else sees who waits there."""
    assert seen(b.example(MODELS[name])) == [4, 5]


def test_a_failure_is_shown_to_its_writer() -> None:
    """Who wrote what did not arrive is told so, and nobody else."""
    assert seen(b.failed(3, BOB, who=ALICE)) == list(range(2, 10))
    assert seen(b.failed(3, ALICE, who=CAROL)) == []


def test_a_type_that_says_whom_it_is_for_is_known() -> None:
    """Eight say so; one that came to say so without a rule here would be shown to all."""
    assert {MODELS[name] for name in ADDRESSED} >= {mt.ConferencePollTallied, mt.ConferenceQuestionAsked}
    assert len(ADDRESSED) == 8
