"""Whole meetings of one's own: the simulator's, of any size, with votes that can be exchanged before anybody counts."""

from collections.abc import Callable, Iterable
from random import Random

from producers.simulator.attendance import Attendance
from producers.simulator.conference import Meeting, meet
from producers.simulator.poll import Vote, vote
from producers.simulator.population import populate
from producers.simulator.scene import Scene
from producers.simulator.step import MINUTE_MS, Step
from schemas.envelope import encode
from schemas.record import Record
from schemas.times import format_time

Exchange = Callable[[list[Vote]], list[Vote]]


def conference(exchange: Exchange = lambda votes: votes, people: int = 250) -> list[Step]:
    """Return a whole meeting of so many, with files, in which what the people voted is changed before it is counted."""

    def voted(rng: Random, some: Iterable[Attendance], open_ms: range, choices: int) -> list[Vote]:
        return exchange(vote(rng, some, open_ms, choices))

    scene = Scene(Random("meeting 31"), 0, populate(people, 1))
    return list(meet(scene, Meeting(60 * MINUTE_MS, 1, subject="All hands", files=True, whole=True, voting=voted)))


def exchanged(votes: list[Vote]) -> list[Vote]:
    """Return the same votes, each as somebody else's."""
    voters = [found.voter for found in votes]
    return [found._replace(voter=voter) for found, voter in zip(votes, [*voters[1:], *voters[:1]], strict=True)]


def recorded(steps: Iterable[Step], topic: str) -> list[Record]:
    """Return the steps as records of a topic, without a place in it."""
    return [encode(step.event_id, step.source, format_time(step.at), step.sequence, step.data, topic) for step in steps]


def disordered(
    records: list[Record], dice: Random, again: float = 0.05, reach: int = 40, late: int = 20
) -> list[Record]:
    """Return the records with some of them doubled, each moved by at most about `reach` places, and some far later."""
    doubled = [*records, *dice.sample(records, int(len(records) * again))]
    places = sorted(range(len(doubled)), key=lambda place: place + dice.random() * reach)
    moved = dice.sample(places, late)
    behind = set(moved)
    return [doubled[place] for place in (*(place for place in places if place not in behind), *moved)]
