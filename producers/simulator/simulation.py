"""A simulated organisation as one stream of records, in order of virtual time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush, heapreplace, merge
from math import ceil
from operator import itemgetter
from random import Random
from typing import Final, Protocol

from producers.simulator import workload
from producers.simulator.casting import Casting
from producers.simulator.population import populate
from producers.simulator.step import START, Step
from producers.topics import Topics
from schemas.catalogue import STREAMS, TYPES
from schemas.envelope import encode
from schemas.record import Record
from schemas.times import format_time

USERS_MIN: Final = 2
"""A conversation takes two."""


class _Script(Protocol):
    def __call__(self, at_ms: int, number: int) -> Iterator[Step]: ...


_Arrival = tuple[int, int, _Script]
"""When a conversation begins, which one of its kind it is, and how to play it."""


def simulate(
    users: int, hours: float, seed: int, topics: Topics, *, files: bool = False, whole_meetings: bool = False
) -> Iterator[Record]:
    """Yield the records of an organisation's first `hours`, ordered by time; memory holds the open conversations.

    The same arguments give the same records. Conversations that run past the end are cut and stay open.
    With `files` meetings share some, which `producers.simulator.files` can make again. With `whole_meetings` they have
    all that meetings leave behind, files only with `files`, and there are some for 1,000 people where there are as
    many. Raises ValueError for fewer users than two or no time at all.
    """
    if users < USERS_MIN or hours <= 0:
        raise ValueError("a simulation needs two users and some time")
    names = {model: topics.of(STREAMS[name]) for model, name in TYPES.items()}
    end = START + timedelta(hours=hours)
    for step in _in_order(_arrivals(users, hours, seed, files=files, whole=whole_meetings)):
        if step.at >= end:
            return
        topic = names[type(step.data)]
        yield encode(step.event_id, step.source, format_time(step.at), step.sequence, step.data, topic)


def _arrivals(users: int, hours: float, seed: int, *, files: bool, whole: bool) -> Iterator[_Arrival]:
    casting = Casting(populate(users, seed), seed, files=files, whole=whole)
    minutes = ceil(hours * 60)
    sessions = Random(f"{seed}/sessions"), users * workload.SESSIONS_PER_DAY, minutes
    calls = Random(f"{seed}/calls"), users * workload.CALLS_PER_DAY, minutes
    return merge(
        _numbered(workload.by_profile(*sessions), casting.talk),
        _numbered(workload.by_profile(*calls), casting.call),
        _numbered(workload.ad_hoc_meetings(Random(f"{seed}/ad-hoc"), users, minutes), casting.ad_hoc),
        _numbered(workload.scheduled_meetings(Random(f"{seed}/scheduled"), users, minutes), casting.scheduled),
        _numbered(workload.large_meetings(hours), casting.large),
        _numbered(workload.largest_meetings(users, hours) if whole else iter(()), casting.largest),
        key=itemgetter(0),
    )


def _numbered(times_ms: Iterator[int], script: _Script) -> Iterator[_Arrival]:
    return ((at_ms, number, script) for number, at_ms in enumerate(times_ms))


def _in_order(arrivals: Iterator[_Arrival]) -> Iterator[Step]:
    """Merge the conversations by time; of steps at one instant, the conversation that began first goes first."""
    playing: list[tuple[datetime, int, Step, Iterator[Step]]] = []
    for begun, (at_ms, number, script) in enumerate(arrivals):
        yield from _played(playing, START + timedelta(milliseconds=at_ms))
        steps = script(at_ms, number)
        first = next(steps)
        heappush(playing, (first.at, begun, first, steps))
    yield from _played(playing, None)


def _played(playing: list[tuple[datetime, int, Step, Iterator[Step]]], until: datetime | None) -> Iterator[Step]:
    """Play what comes before `until`, or all there is."""
    while playing and (until is None or playing[0][0] < until):
        _, begun, step, steps = playing[0]
        yield step
        following = next(steps, None)
        if following is None:
            heappop(playing)
        else:
            heapreplace(playing, (following.at, begun, following, steps))
