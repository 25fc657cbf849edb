"""The people of a simulated organisation."""

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Final

from producers.simulator.names import TONGUES, Tongue
from schemas.events import Participant, Role

HOST: Final = "contoso.example"
POOLS: Final = 2
SECOND_ENDPOINT_SHARE: Final = 0.5
"""Microsoft's model counts 1.5 endpoints a user without mobility."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a mailbox. `endpoints` are the event sources of this person's devices."""

    sip: str
    name: str
    language: str
    endpoints: tuple[str, ...]
    attendee: Participant
    presenter: Participant


Population = tuple[Person, ...]


def populate(users: int, seed: int) -> Population:
    """Return as many people, each with an address of their own; namesakes are numbered in theirs."""
    rng = Random(f"{seed}/population")
    taken: Counter[str] = Counter()
    shares = [tongue.share for tongue in TONGUES]
    return tuple(_person(rng, tongue, taken) for tongue in rng.choices(TONGUES, weights=shares, k=users))


def _person(rng: Random, tongue: Tongue, taken: Counter[str]) -> Person:
    given, given_ascii = rng.choice(tongue.given)
    family, family_ascii = rng.choice(tongue.family)
    alias = f"{given_ascii}.{family_ascii}"
    taken[alias] += 1
    if taken[alias] > 1:
        alias = f"{alias}{taken[alias]}"
    name = f"{family}{given}" if tongue.family_first else f"{given} {family}"
    sip = f"sip:{alias}@{HOST}"
    home = f"/pools/fe{1 + rng.randrange(POOLS):02}/users/{alias}/endpoints"
    devices = 2 if rng.random() < SECOND_ENDPOINT_SHARE else 1
    return Person(
        sip=sip,
        name=name,
        language=tongue.language,
        endpoints=tuple(f"{home}/{number}" for number in range(1, devices + 1)),
        attendee=Participant(sip=sip, name=name),
        presenter=Participant(sip=sip, name=name, role=Role.PRESENTER),
    )
