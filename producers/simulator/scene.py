"""Who meets when: what a script needs to play one conversation."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from producers.simulator.population import Person
from producers.simulator.step import Step

ECHO_SHARE: Final = 0.04
"""Messages of people with two endpoints that both report. Half the people have two: about 2% of all messages."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A conversation to be played: its own randomness, its start, and its people, the initiator first."""

    rng: Random
    at_ms: int
    people: tuple[Person, ...]

    @property
    def focus(self) -> str:
        """The event source of the server that runs a conference."""
        return self.people[0].endpoints[0].split("/users/", 1)[0] + "/focus"


def reported(rng: Random, step: Step, sender: Person) -> Iterator[Step]:
    """Yield a message as the sender's endpoints report it: once, or once more from the second, else the same."""
    yield step
    if len(sender.endpoints) > 1 and rng.random() < ECHO_SHARE:
        yield step._replace(source=sender.endpoints[1])
