"""A meeting as its script sees it: who is there at a moment, and who of them may do what presenters do."""

from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from producers.simulator.attendance import JOIN_WINDOW_MS, Attendance
from producers.simulator.population import Person
from producers.simulator.step import MINUTE_MS
from schemas.events import EventData


class Act(NamedTuple):
    """Something that happens in a meeting, `at_ms` milliseconds after the simulation's start."""

    at_ms: int
    data: EventData


class Floor:
    """One meeting from `begin_ms` until `close_ms`, its people, and a randomness of its script's own."""

    def __init__(
        self, rng: Random, conversation: str, begin_ms: int, close_ms: int, people: Iterable[Attendance]
    ) -> None:
        self.rng = rng
        self.conversation = conversation
        self.begin_ms = begin_ms
        self.close_ms = close_ms
        self.people = list(people)
        self._demoted: set[str] = set()

    def moment(self) -> int:
        """Return a time at which the meeting is in full swing."""
        return self.between(self.begin_ms + JOIN_WINDOW_MS, self.close_ms - MINUTE_MS)

    def between(self, first_ms: int, last_ms: int) -> int:
        """Return a time from `first_ms` on and not after `last_ms`, within the meeting."""
        last_ms = min(last_ms, self.close_ms - 1)
        return first_ms + self.rng.randrange(last_ms - first_ms + 1) if first_ms < last_ms else last_ms

    def times(self, per_person: float) -> range:
        """Return as many turns as there are of something that one person in so many causes, on average."""
        return range(int(len(self.people) * per_person + self.rng.random()))

    def happens(self, share: float) -> bool:
        """Whether something happens that does in this share of all cases."""
        return self.rng.random() < share

    def presenter(self, at_ms: int, other_than: Person | None = None) -> Person | None:
        """Return one of the presenters who are there, if any; who is ever demoted is none of them."""
        there = [
            found.person
            for found in self.people
            if found.presents and found.person.sip not in self._demoted and found.present(at_ms)
        ]
        return self._one(there, other_than)

    def attendee(self, at_ms: int) -> Person | None:
        """Return one of those who came as attendees and are there, if any."""
        return self._one([found.person for found in self.people if not found.presents and found.present(at_ms)])

    def there(self, at_ms: int, other_than: Person) -> list[Person]:
        """Return who is there beside this person."""
        return [found.person for found in self.people if found.person != other_than and found.present(at_ms)]

    def demote(self, person: Person) -> None:
        """Let them do nothing any more that presenters do."""
        self._demoted.add(person.sip)

    def _one(self, there: list[Person], other_than: Person | None = None) -> Person | None:
        found = [person for person in there if person != other_than]
        return self.rng.choice(found) if found else None
