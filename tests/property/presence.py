"""Who may see what of a history, in the plainest words: a walk with the set of those present and those presenting."""

from schemas import events as ev
from schemas import meetings as mt
from schemas.envelope import decode
from schemas.events import Audience, EventData, Participant, Role
from tests.property.histories import History


def presence(history: History) -> dict[str, set[int]]:
    """Return which sequences of a history everybody who has an item of it may see.

    One sees what happens while one is there, one's own coming and going included: of a conference, what is for
    presenters only as one of them, and no message that did not reach one. Who never came and is reported as having
    missed a conversation sees its first message, and of a call nothing but that it was. Outsiders have no mailbox.
    """
    steps = [decode(record, None).data for record in history]
    seen: dict[str, set[int]] = {}
    here: set[str] = set()
    presenting: set[str] = set()
    for number, step in enumerate(steps, start=1):
        before = set(here)
        _move(step, here, presenting)
        for sip in (before | here) & _meant(step, presenting, before | here):
            seen.setdefault(sip, set()).add(number)
    for sip, number in _undelivered(steps):
        seen.get(sip, set()).discard(number)
    absent = {step.participant.sip for step in steps if isinstance(step, ev.ConversationMissed | ev.CallMissed)}
    messages = [number for number, step in enumerate(steps, start=1) if isinstance(step, ev.ConversationMessage)]
    missed = {sip: set(messages[:1]) for sip in absent - seen.keys()}
    return missed | {sip: seen[sip] for sip in seen.keys() & _own(steps)}


def _move(step: EventData, here: set[str], presenting: set[str]) -> None:
    for person in _coming(step):
        here.add(person.sip)
        (presenting.add if person.role is Role.PRESENTER else presenting.discard)(person.sip)
    match step:
        case ev.ConversationParticipantLeft() | ev.ConferenceLeft() | mt.ConferenceEjected():
            here.discard(step.sip)
        case mt.ConferenceRoleChanged():
            (presenting.add if step.role is Role.PRESENTER else presenting.discard)(step.sip)


def _coming(step: EventData) -> tuple[Participant, ...]:
    match step:
        case ev.ConversationStarted() | ev.CallStarted():
            return step.participants
        case ev.ConversationParticipantJoined() | ev.ConferenceJoined() | mt.ConferenceJoinedV2():
            return (step.participant,)
        case _:
            return ()


def _meant(step: EventData, presenting: set[str], present: set[str]) -> set[str]:
    match step:
        case mt.ConferenceLobbyEntered() | mt.ConferenceLobbyAdmitted() | mt.ConferenceLobbyDenied():
            return presenting
        case mt.ConferenceDeliveryFailed():
            return {step.sip}
        case _:
            return presenting if getattr(step, "audience", None) is Audience.PRESENTERS else present


def _undelivered(steps: list[EventData]) -> set[tuple[str, int]]:
    messages = {number for number, step in enumerate(steps, start=1) if isinstance(step, ev.ConferenceMessage)}
    failures = [step for step in steps if isinstance(step, mt.ConferenceDeliveryFailed) and step.message in messages]
    return {(sip, step.message) for step in failures for sip in step.recipients}


def _own(steps: list[EventData]) -> set[str]:
    """Return who came at least once as somebody of the organisation."""
    comings = [step for step in steps if getattr(step, "origin", mt.Origin.INTERNAL) is mt.Origin.INTERNAL]
    return {person.sip for step in comings for person in _coming(step)}
