"""Idle closing follows from times alone."""

from datetime import timedelta

from consumers.idle import IDLE_TIMEOUT_S, IdleClose, idle_closes, idle_since
from tests.support.clock import START


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_a_pause_longer_than_the_timeout_closes_and_reopens() -> None:
    """A conversation closes ten minutes after its last event, and the next event opens it again."""
    times = [(1, START), (2, START + after(600)), (3, START + after(1201))]
    assert idle_closes(times) == [IdleClose(2, START + after(1200), START + after(1201))]


def test_a_pause_of_exactly_the_timeout_closes_nothing() -> None:
    """The limit itself is no close."""
    assert idle_closes([(1, START), (2, START + after(IDLE_TIMEOUT_S))]) == []


def test_times_that_go_backwards_are_no_pause() -> None:
    """A step back in time closes nothing, and the next pause counts from the later event in sequence."""
    times = [(1, START + after(2000)), (2, START), (3, START + after(601))]
    assert idle_closes(times) == [IdleClose(2, START + after(600), START + after(601))]


def test_nothing_and_one_event_make_no_close() -> None:
    """There is a pause only between two events."""
    assert idle_closes([]) == []
    assert idle_closes([(1, START)]) == []


def test_the_end_is_idle_once_the_lane_has_come_so_far() -> None:
    """An open conversation counts as closed only when its lane's time is past the timeout."""
    assert idle_since(START, None) is None
    assert idle_since(START, START + after(599)) is None
    assert idle_since(START, START + after(600)) == START + after(600)
    assert idle_since(START, START + after(60), idle_timeout_s=30) == START + after(30)
