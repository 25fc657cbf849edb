"""Who takes part: every conversation gets its people, its own randomness, and so its script."""

from collections.abc import Iterator
from random import Random
from typing import Final

from producers.simulator import workload
from producers.simulator.attendance import DURATION_MIN_MS
from producers.simulator.call import call
from producers.simulator.conference import Meeting, meet
from producers.simulator.phrases import PHRASES
from producers.simulator.population import Person, Population
from producers.simulator.scene import Scene
from producers.simulator.step import MINUTE_MS, Step, identifier
from producers.simulator.two_party import talk

CONTACTS: Final = 50
"""Average length of a contact list without public clouds. People mostly talk to those."""

USERS_PER_SERIES: Final = 10
"""One recurring meeting for so many people."""

SPARE: Final = 3
"""At most so many are asked into a conversation that grows."""


class Casting:
    """Makes scripts for one population. The same seed, kind and number give the same script.

    Meetings are as `Meeting` says of `files` and `whole`.
    """

    def __init__(self, population: Population, seed: int, *, files: bool = False, whole: bool = False) -> None:
        self._files = files
        self._whole = whole
        self._population = population
        self._seed = seed

    def talk(self, at_ms: int, number: int) -> Iterator[Step]:
        """Two people write to each other; some more are there to be asked in."""
        rng = self._rng("talk", number)
        people = self._neighbours(rng, 3 + rng.randrange(SPARE))
        return talk(Scene(rng, at_ms, people), whole=self._whole)

    def call(self, at_ms: int, number: int) -> Iterator[Step]:
        """One person calls another."""
        rng = self._rng("call", number)
        return call(Scene(rng, at_ms, self._neighbours(rng, 2)))

    def ad_hoc(self, at_ms: int, number: int) -> Iterator[Step]:
        """A few people meet at once."""
        return self._meeting(at_ms, self._rng("ad-hoc", number), self._rng("ad-hoc-circle", number), "")

    def scheduled(self, at_ms: int, number: int) -> Iterator[Step]:
        """A meeting from the calendar: an occurrence of a series, or one of its own."""
        rng = self._rng("scheduled", number)
        if rng.random() >= workload.RECURRING_SHARE:
            return self._meeting(at_ms, rng, self._rng("scheduled-circle", number), "")
        series = rng.randrange(max(1, len(self._population) // USERS_PER_SERIES))
        return self._meeting(at_ms, rng, self._rng("series", series), identifier(rng))

    def large(self, at_ms: int, number: int) -> Iterator[Step]:
        """A meeting for everybody, or for as many as are allowed in by default."""
        return self._assembly(at_ms, self._rng("large", number), workload.LARGE_SIZE)

    def largest(self, at_ms: int, number: int) -> Iterator[Step]:
        """A meeting for everybody, or for as many as a server for large meetings holds."""
        return self._assembly(at_ms, self._rng("largest", number), workload.LARGEST_SIZE)

    def _assembly(self, at_ms: int, rng: Random, size: int) -> Iterator[Step]:
        people = rng.sample(self._population, min(size, len(self._population)))
        meeting = self._plan(rng, people[0], messages_each=2, duration_ms=60 * MINUTE_MS, instance="")
        return meet(Scene(rng, at_ms, tuple(people)), meeting)

    def _meeting(self, at_ms: int, rng: Random, circle: Random, instance: str) -> Iterator[Step]:
        """`circle` decides what the occurrences of a series share: the people, the URI, the subject."""
        size = circle.choices(workload.SIZES, weights=workload.SIZE_SHARES)[0]
        people = self._neighbours(circle, size)
        each = circle.choices(workload.MESSAGES_EACH, weights=workload.MESSAGES_SHARES)[0]
        duration_ms = max(DURATION_MIN_MS, rng.choice(workload.DURATION_MINUTES) * MINUTE_MS)
        meeting = self._plan(circle, people[0], messages_each=each, duration_ms=duration_ms, instance=instance)
        return meet(Scene(rng, at_ms, people), meeting)

    def _plan(self, rng: Random, organizer: Person, *, messages_each: int, duration_ms: int, instance: str) -> Meeting:
        return Meeting(
            duration_ms=duration_ms,
            messages_each=messages_each,
            conference_uri=f"{organizer.sip};gruu;opaque=app:conf:focus:id:{rng.getrandbits(32):08X}",
            instance=instance,
            files=self._files,
            whole=self._whole,
            subject=rng.choice(PHRASES[organizer.language]),
        )

    def _neighbours(self, rng: Random, count: int) -> tuple[Person, ...]:
        """Return different people who know each other: neighbours in the population."""
        users = len(self._population)
        first = rng.randrange(users)
        others = rng.sample(range(1, min(users, CONTACTS + 1)), min(count, users) - 1)
        return tuple(self._population[(first + offset) % users] for offset in (0, *others))

    def _rng(self, kind: str, number: int) -> Random:
        return Random(f"{self._seed}/{kind}/{number}")
