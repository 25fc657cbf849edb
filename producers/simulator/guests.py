"""Those who come to a meeting from outside of the organisation, and the lobby where some wait for a presenter."""

from collections.abc import Iterator
from random import Random
from typing import Final

from producers.simulator.attendance import JOIN_WINDOW_MS, Attendance, drawn_stays
from producers.simulator.floor import Act, Floor
from producers.simulator.names import TONGUES
from producers.simulator.population import Person
from producers.simulator.step import MINUTE_MS, SECOND_MS, identifier
from schemas.events import Participant, Role
from schemas.meetings import ConferenceLobbyAdmitted, ConferenceLobbyDenied, ConferenceLobbyEntered, Origin

GUESTS_PER_PERSON: Final = 0.12
ORIGINS: Final = (Origin.FEDERATED, Origin.ANONYMOUS, Origin.PSTN)
ORIGIN_SHARES: Final = (5, 3, 2)
DENIED_SHARE: Final = 0.2
"""Guests who wait in the lobby and are not let in."""

LATE_SHARE: Final = 0.1
"""People of the organisation whom the lobby takes too, on their way in."""

WAIT_MS: Final = (5 * SECOND_MS, 2 * MINUTE_MS)
_HOSTS: Final = {
    Origin.FEDERATED: "fabrikam.example",
    Origin.ANONYMOUS: "anonymous.invalid",
    Origin.PSTN: "gateway.contoso.example",
}


def guests(rng: Random, people: int, begin_ms: int, close_ms: int, focus: str) -> list[Attendance]:
    """Return who comes from outside to a meeting of so many; servers report what they do."""
    count = int(people * GUESTS_PER_PERSON + rng.random())
    origins = rng.choices(ORIGINS, weights=ORIGIN_SHARES, k=count)
    return [
        Attendance(_guest(rng, origin, focus), False, drawn_stays(rng, begin_ms, close_ms), origin)
        for origin in origins
    ]


def _guest(rng: Random, origin: Origin, focus: str) -> Person:
    tongue = rng.choice(TONGUES)
    (given, given_ascii), (family, family_ascii) = rng.choice(tongue.given), rng.choice(tongue.family)
    name = f"{given} {family}"
    match origin:
        case Origin.FEDERATED:
            user = f"{given_ascii}.{family_ascii}"
        case Origin.PSTN:
            user = name = f"+1425555{rng.randrange(10_000):04}"
        case _:
            user = identifier(rng)
    sip = f"sip:{user}@{_HOSTS[origin]}"
    return Person(
        sip=sip,
        name=name,
        language=tongue.language,
        endpoints=(focus,),
        attendee=Participant(sip=sip, name=name),
        presenter=Participant(sip=sip, name=name, role=Role.PRESENTER),
    )


def lobby(floor: Floor) -> Iterator[Act]:
    """Play the lobby: who waited there before they came, and who waited for nothing.

    Callers from the telephone network are never made to wait.
    """
    for found in floor.people:
        waits = {Origin.INTERNAL: LATE_SHARE, Origin.FEDERATED: 0.5, Origin.ANONYMOUS: 1.0}.get(found.origin, 0.0)
        if floor.happens(waits):
            yield from _admitted(floor, found)
    for found in guests(floor.rng, len(floor.people), floor.begin_ms, floor.close_ms, ""):
        if found.origin is not Origin.PSTN and floor.happens(DENIED_SHARE):
            yield from _denied(floor, found)


def _admitted(floor: Floor, found: Attendance) -> Iterator[Act]:
    person, comes_ms = found.person, found.stays[0].begin
    waits_ms = comes_ms - floor.rng.randrange(*WAIT_MS)
    host = floor.presenter(comes_ms - 1, person)
    if host is not None and waits_ms > floor.begin_ms:
        yield _entered(floor, found, waits_ms)
        admitted = ConferenceLobbyAdmitted(conversation=floor.conversation, sip=person.sip, by=host.sip)
        yield Act(comes_ms - 1, admitted)


def _denied(floor: Floor, found: Attendance) -> Iterator[Act]:
    waits_ms = floor.moment()
    denied_ms = floor.between(waits_ms + 1, waits_ms + JOIN_WINDOW_MS)
    host = floor.presenter(denied_ms)
    if host is not None and waits_ms < denied_ms:
        yield _entered(floor, found, waits_ms)
        denied = ConferenceLobbyDenied(conversation=floor.conversation, sip=found.person.sip, by=host.sip)
        yield Act(denied_ms, denied)


def _entered(floor: Floor, found: Attendance, at_ms: int) -> Act:
    data = ConferenceLobbyEntered(
        conversation=floor.conversation, participant=found.person.attendee, origin=found.origin
    )
    return Act(at_ms, data)
