"""Segments are a chain: any change of any piece shows."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from consumers import segment as segments
from consumers.conversation import CHAIN_START
from consumers.segment import SEGMENT_EVENTS_MAX, intact, seal, seal_all
from schemas.catalogue import EventType
from schemas.envelope import Event
from tests.builders import ALICE, event, message, started

EVENTS = {1: event(1, started()), 2: event(2, message()), 3: event(3, message(ALICE, "again"))}

CHANGES: dict[str, Callable[[Event], Event]] = {
    "id": lambda one: one._replace(id=one.id + "x"),
    "source": lambda one: one._replace(source=one.source + "x"),
    "type": lambda one: one._replace(type=EventType.CONFERENCE_MESSAGE),
    "at": lambda one: one._replace(at=one.at.replace("09:", "10:"), moment=one.moment + timedelta(hours=1)),
    "sequence": lambda one: one._replace(sequence=one.sequence + 10),
    "body": lambda one: one._replace(body=one.body.replace(b"contoso", b"fabrikam")),
}


def test_segments_are_chained() -> None:
    """Each segment holds the hash of the one before, the first a constant, and ordinals count on."""
    first, second = seal_all("c1", 4, b"h" * 32, {1: EVENTS[1], 3: EVENTS[3]})
    assert (first.ordinal, first.first, first.last, first.previous) == (5, 1, 1, b"h" * 32)
    assert (second.ordinal, second.first, second.last, second.previous) == (6, 3, 3, first.hash)
    assert intact(first)
    assert intact(second)


def test_consecutive_events_are_one_segment_whatever_their_order() -> None:
    """Events are sealed in order of sequence, not of arrival."""
    (sealed,) = seal_all("c1", 0, CHAIN_START, {3: EVENTS[3], 1: EVENTS[1], 2: EVENTS[2]})
    assert sealed.events == (EVENTS[1], EVENTS[2], EVENTS[3])


def test_a_segment_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A longer run is split, and the pieces are chained."""
    assert SEGMENT_EVENTS_MAX == 1000
    monkeypatch.setattr(segments, "SEGMENT_EVENTS_MAX", 2)
    first, second = seal_all("c1", 0, CHAIN_START, EVENTS)
    assert (first.first, first.last, second.first, second.last) == (1, 2, 3, 3)
    assert second.previous == first.hash


def test_every_field_of_an_event_has_a_change() -> None:
    """The list of changes below leaves no field of an event out; `moment` follows `at`, and `data` is `body`."""
    assert CHANGES.keys() | {"moment", "data"} == set(Event._fields)


@pytest.mark.parametrize("field", CHANGES)
@pytest.mark.parametrize("sequence", EVENTS)
def test_any_change_of_an_event_breaks_the_chain(field: str, sequence: int) -> None:
    """Whatever is altered in whichever event, the segment is not intact any more."""
    sealed = seal("c1", 1, tuple(EVENTS.values()), CHAIN_START)
    changed = tuple(CHANGES[field](one) if one.sequence == sequence else one for one in sealed.events)
    assert changed != sealed.events
    assert not intact(sealed._replace(events=changed))


def test_removing_inserting_and_swapping_breaks_the_chain() -> None:
    """Events cannot be taken out, put in or exchanged unseen, nor can the segment before be another."""
    one, two, three = EVENTS.values()
    sealed = seal("c1", 1, (one, two, three), CHAIN_START)
    assert intact(sealed)
    for events in ((one, two), (one, two, three, three), (one, three, two), (two, three)):
        assert not intact(sealed._replace(events=events))
    assert not intact(sealed._replace(previous=b"h" * 32))


def test_text_moved_between_neighbouring_fields_breaks_the_chain() -> None:
    """What varies stands behind its length: no two events have the same bytes."""
    sealed = seal("c1", 1, (EVENTS[1]._replace(id="ab", source="cd"),), CHAIN_START)
    moved = EVENTS[1]._replace(id="abc", source="d")
    assert not intact(sealed._replace(events=(moved,)))
