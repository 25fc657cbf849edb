"""Making a failing episode small: leave out what it does not need to fail in the same way."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from tests.episodes.episode import Episode
from tests.episodes.play import Outcome, play
from tests.episodes.workload import Arrival

PLAYS_MAX: Final = 2000
"""How often it is played for that: some twenty seconds."""

Part = TypeVar("Part")


def shrink(episode: Episode, outcome: Outcome) -> tuple[Episode, Outcome]:
    """Return an episode that has a finding of the same kind, of which no single part can be left out, and its outcome.

    Faults are left out first, then conversations, then single records; and again, until nothing more can be.
    """
    kinds = set(outcome.kinds)
    plays = 0
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(episode):
            plays += 1
            if plays > PLAYS_MAX:
                return episode, outcome
            found = play(candidate)
            if kinds & set(found.kinds):
                episode, outcome, smaller = candidate, found, True
                break
    return episode, outcome


def _smaller(episode: Episode) -> Iterator[Episode]:
    for faults in _without_one(episode.faults):
        yield replace(episode, faults=faults)
    if episode.processes > 1 and all(fault.process < episode.processes - 1 for fault in episode.faults):
        yield replace(episode, processes=episode.processes - 1)
    names = {_name(arrival) for arrival in episode.arrivals}
    for name in sorted(names) if len(names) > 1 else ():
        yield replace(episode, arrivals=tuple(one for one in episode.arrivals if _name(one) != name))
    for arrivals in _without_one(episode.arrivals):
        yield replace(episode, arrivals=arrivals)


def _without_one(parts: Sequence[Part]) -> Iterator[tuple[Part, ...]]:
    for index in reversed(range(len(parts))):
        yield (*parts[:index], *parts[index + 1 :])


def _name(arrival: Arrival) -> bytes:
    return (arrival.record.key or b"") if arrival.record is not None else b"marker"
