"""Idle closing: a conversation closes ten minutes after its last event, and one that goes on is open again.

It follows from the events' own times alone (Communicator's rule; domain reference, section 2.4), so it is computed
where it is shown and stored nowhere. Times of a conversation may go backwards; such a step is no pause.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

IDLE_TIMEOUT_S: Final = 600
"""After this many seconds without an event, a conversation's window counts as closed."""


class IdleClose(NamedTuple):
    """The conversation closed `IDLE_TIMEOUT_S` after `sequence`, and `reopened` again with the next event."""

    sequence: int
    closed: datetime
    reopened: datetime


def idle_closes(times: Iterable[tuple[int, datetime]], idle_timeout_s: float = IDLE_TIMEOUT_S) -> list[IdleClose]:
    """Return each idle close between events, given as (sequence, time) in order of sequence."""
    limit = timedelta(seconds=idle_timeout_s)
    closes = []
    previous: tuple[int, datetime] | None = None
    for sequence, moment in times:
        if previous is not None and moment - previous[1] > limit:
            closes.append(IdleClose(previous[0], previous[1] + limit, moment))
        previous = sequence, moment
    return closes


def idle_since(last: datetime, watermark: datetime | None, idle_timeout_s: float = IDLE_TIMEOUT_S) -> datetime | None:
    """Return when a conversation with nothing after `last` closed, or None while its lane has not come so far."""
    closed = last + timedelta(seconds=idle_timeout_s)
    return closed if watermark is not None and closed <= watermark else None
