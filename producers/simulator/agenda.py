"""What happens in a whole meeting beside coming, going and writing: roles, locks, polls, questions, files and more."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from producers.simulator.floor import Act, Floor
from producers.simulator.guests import lobby
from producers.simulator.handouts import file, whiteboard
from producers.simulator.phrases import PHRASES, say
from producers.simulator.poll import Voting, poll
from producers.simulator.step import MINUTE_MS, SECOND_MS, identifier
from schemas.events import Audience, Role
from schemas.meetings import (
    ConferenceDeliveryFailed,
    ConferenceLocked,
    ConferenceModality,
    ConferenceModalityJoined,
    ConferenceModalityLeft,
    ConferenceNotesLinked,
    ConferenceQuestionAnswered,
    ConferenceQuestionAsked,
    ConferenceRoleChanged,
    ConferenceSharingStarted,
    ConferenceSharingStopped,
    Sharing,
)

PROMOTIONS_PER_PERSON: Final = 0.06
DEMOTIONS_PER_PERSON: Final = 0.03
QUESTIONS_PER_PERSON: Final = 0.08
POLLS_PER_PERSON: Final = 0.02
FILES_PER_PERSON: Final = 0.03
LOCKS_PER_PERSON: Final = 0.02
NOTES_PER_PERSON: Final = 0.03
SHARING_PER_PERSON: Final = 0.05
MODALITY_SHARE: Final = 0.4
BRIEF_SHARE: Final = 0.5
"""Of what begins, a promotion or a modality: how much is over before whoever has it goes."""

ANSWERED_SHARE: Final = 0.7
PUBLIC_SHARE: Final = 0.7
"""Answers that everybody sees. Questions are the presenters' alone more often than not."""

UNDELIVERED_SHARE: Final = 0.05
UNDELIVERED_MAX: Final = 3
"""Whom a message does not reach, at most."""

FAILURE_MS: Final = (200, 3 * SECOND_MS)
"""How long after a message it is known whom it did not reach."""


def acts(floor: Floor, voting: Voting, *, files: bool) -> Iterator[Act]:
    """Yield all that happens, in no order; files are shared only where they are asked for."""
    yield from lobby(floor)
    for per_person, script in (
        (PROMOTIONS_PER_PERSON, _promotion),
        (DEMOTIONS_PER_PERSON, _demotion),
        (QUESTIONS_PER_PERSON, _question),
        (POLLS_PER_PERSON, partial(poll, voting=voting)),
        (FILES_PER_PERSON if files else 0.0, file),
        (FILES_PER_PERSON if files else 0.0, whiteboard),
        (LOCKS_PER_PERSON, _lock),
        (NOTES_PER_PERSON, _notes),
        (SHARING_PER_PERSON, _sharing),
    ):
        for _ in floor.times(per_person):
            yield from script(floor)
    yield from _modalities(floor)


def failure(floor: Floor, at_ms: int, sequence: int, sip: str) -> Act | None:
    """Return that the message with this sequence did not reach somebody, where that is so."""
    if not floor.happens(UNDELIVERED_SHARE):
        return None
    there = [found.person.sip for found in floor.people if found.person.sip != sip and found.present(at_ms)]
    if not there:
        return None
    recipients = floor.rng.sample(there, min(len(there), 1 + floor.rng.randrange(UNDELIVERED_MAX)))
    failed = ConferenceDeliveryFailed(
        conversation=floor.conversation, sip=sip, message=sequence, recipients=tuple(recipients)
    )
    return Act(floor.between(at_ms + FAILURE_MS[0], at_ms + FAILURE_MS[1]), failed)


def _promotion(floor: Floor) -> Iterator[Act]:
    at_ms = floor.moment()
    person, host = floor.attendee(at_ms), floor.presenter(at_ms)
    if person is None or host is None:
        return
    promoted = ConferenceRoleChanged(conversation=floor.conversation, sip=person.sip, role=Role.PRESENTER, by=host.sip)
    yield Act(at_ms, promoted)
    over_ms = floor.between(at_ms + 1, at_ms + 10 * MINUTE_MS)
    other = floor.presenter(over_ms)
    if other is not None and floor.happens(BRIEF_SHARE):
        yield Act(over_ms, promoted.model_copy(update={"role": Role.ATTENDEE, "by": other.sip}))


def _demotion(floor: Floor) -> Iterator[Act]:
    """Demote somebody who came as a presenter; nobody is left out who could do it."""
    at_ms = floor.moment()
    host = floor.presenter(at_ms)
    person = floor.presenter(at_ms, host) if host is not None else None
    if host is not None and person is not None and person != floor.people[0].person:
        floor.demote(person)
        demoted = ConferenceRoleChanged(
            conversation=floor.conversation, sip=person.sip, role=Role.ATTENDEE, by=host.sip
        )
        yield Act(at_ms, demoted)


def _question(floor: Floor) -> Iterator[Act]:
    asked_ms = floor.moment()
    asker = floor.attendee(asked_ms)
    if asker is None:
        return
    name = identifier(floor.rng)
    asked = ConferenceQuestionAsked(
        conversation=floor.conversation,
        sip=asker.sip,
        question=name,
        text=say(floor.rng, asker.language),
        audience=Audience.PRESENTERS if floor.happens(PUBLIC_SHARE) else Audience.EVERYONE,
    )
    yield Act(asked_ms, asked)
    answered_ms = floor.between(asked_ms + 1, asked_ms + 3 * MINUTE_MS)
    host = floor.presenter(answered_ms)
    if host is not None and floor.happens(ANSWERED_SHARE):
        answered = ConferenceQuestionAnswered(
            conversation=floor.conversation,
            sip=host.sip,
            question=name,
            text=say(floor.rng, host.language),
            audience=Audience.EVERYONE if floor.happens(PUBLIC_SHARE) else Audience.PRESENTERS,
        )
        yield Act(answered_ms, answered)


def _lock(floor: Floor) -> Iterator[Act]:
    at_ms = floor.moment()
    for moment_ms, locked in ((at_ms, True), (floor.between(at_ms + 1, floor.close_ms), False)):
        host = floor.presenter(moment_ms)
        if host is None:
            return
        yield Act(moment_ms, ConferenceLocked(conversation=floor.conversation, sip=host.sip, locked=locked))


def _notes(floor: Floor) -> Iterator[Act]:
    at_ms = floor.moment()
    host = floor.presenter(at_ms)
    if host is not None:
        title = floor.rng.choice(PHRASES[host.language])
        link = f"https://notes.contoso.example/{identifier(floor.rng)}"
        yield Act(at_ms, ConferenceNotesLinked(conversation=floor.conversation, sip=host.sip, title=title, link=link))


def _sharing(floor: Floor) -> Iterator[Act]:
    at_ms = floor.moment()
    host = floor.presenter(at_ms)
    if host is None:
        return
    sharing = floor.rng.choice(tuple(Sharing))
    yield Act(at_ms, ConferenceSharingStarted(conversation=floor.conversation, sip=host.sip, sharing=sharing))
    over_ms = floor.between(at_ms + 1, at_ms + 20 * MINUTE_MS)
    yield Act(over_ms, ConferenceSharingStopped(conversation=floor.conversation, sip=host.sip, sharing=sharing))


def _modalities(floor: Floor) -> Iterator[Act]:
    """Let some take part by more than words; a rejoin is a modality's too."""
    for found in floor.people:
        for stay in found.stays:
            if stay.end - stay.begin < MINUTE_MS or not floor.happens(MODALITY_SHARE):
                continue
            sip, modality = found.person.sip, floor.rng.choice(tuple(ConferenceModality))
            begin_ms = stay.begin + 1 + floor.rng.randrange(SECOND_MS)
            joined = ConferenceModalityJoined(conversation=floor.conversation, sip=sip, modality=modality)
            yield Act(begin_ms, joined)
            if floor.happens(BRIEF_SHARE):
                left = ConferenceModalityLeft(conversation=floor.conversation, sip=sip, modality=modality)
                yield Act(floor.between(begin_ms + 1, stay.end - 1), left)
