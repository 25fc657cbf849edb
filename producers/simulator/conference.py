"""A meeting: people join in the first five minutes, write, lose the connection, leave early, and it ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from producers.simulator.files import shared_file, shared_whiteboard
from producers.simulator.phrases import say
from producers.simulator.population import Person
from producers.simulator.scene import Scene, reported
from producers.simulator.step import MINUTE_MS, Numbering, Step, identifier, thread
from schemas.events import (
    ConferenceActivated,
    ConferenceContentUploaded,
    ConferenceEnded,
    ConferenceJoined,
    ConferenceLeft,
    ConferenceMessage,
    ConferenceTopic,
    ConferenceWhiteboardSnapshot,
)

JOIN_WINDOW_MS: Final = 5 * MINUTE_MS
"""Microsoft's model: all join in the first five minutes."""

DURATION_MIN_MS: Final = 2 * JOIN_WINDOW_MS
"""Shorter meetings would leave no room to come, go, come back and say goodbye."""

PRESENTER_SHARE: Final = 0.2
TOPIC_SHARE: Final = 0.25
EARLY_SHARE: Final = 0.10
REJOIN_SHARE: Final = 0.08
UPLOAD_SHARE: Final = 0.5
WHITEBOARD_SHARE: Final = 0.2
"""Meetings in which the organizer shares a file, and draws on the whiteboard, where files are asked for."""

GOODBYE_SHARE: Final = 0.5
"""People who leave in the last minute; the end of the meeting takes the others out."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """What is known of a meeting before it begins. `messages_each` is a mean; 0 is a meeting without messages.

    With `files` some is shared in it. What else happens is the same without.

    It lasts `DURATION_MIN_MS` at least.
    """

    duration_ms: int
    messages_each: int
    thread: str = ""
    conference_uri: str = ""
    instance: str = ""
    subject: str = ""
    escalated_from: str | None = None
    files: bool = False


@dataclass(frozen=True, slots=True)
class _Plan:
    """One thing that somebody is going to do."""

    at_ms: int
    act: str
    person: Person
    presents: bool = False


_Stay = tuple[int, int, bool]
"""From when, until when, and whether a leave is reported."""


def meet(scene: Scene, meeting: Meeting) -> Iterator[Step]:
    """Play the meeting; the scene's first person organizes it."""
    conversation = identifier(scene.rng)
    numbers = Numbering(scene.rng)
    organizer = scene.people[0]
    activated = ConferenceActivated(
        conversation=conversation,
        thread=meeting.thread or thread(scene.rng),
        conference_uri=meeting.conference_uri,
        instance=meeting.instance,
        organizer=organizer.presenter,
        subject=meeting.subject,
        escalated_from=meeting.escalated_from,
    )
    yield numbers.step(scene.at_ms, scene.focus, activated)
    for plan in _plans(scene, meeting):
        yield from _played(scene, conversation, numbers, plan)
    ended = ConferenceEnded(conversation=conversation, last_sequence=numbers.next)
    yield numbers.step(scene.at_ms + meeting.duration_ms, scene.focus, ended)


def _played(scene: Scene, conversation: str, numbers: Numbering, plan: _Plan) -> Iterator[Step]:
    person = plan.person
    match plan.act:
        case "join":
            participant = person.presenter if plan.presents else person.attendee
            joined = ConferenceJoined(conversation=conversation, participant=participant)
            yield numbers.step(plan.at_ms, scene.focus, joined)
        case "leave":
            yield numbers.step(plan.at_ms, scene.focus, ConferenceLeft(conversation=conversation, sip=person.sip))
        case "topic":
            topic = ConferenceTopic(conversation=conversation, sip=person.sip, text=say(scene.rng, person.language))
            yield numbers.step(plan.at_ms, scene.focus, topic)
        case "upload":
            file = shared_file(_own(plan))
            yield numbers.step(
                plan.at_ms,
                scene.focus,
                ConferenceContentUploaded(conversation=conversation, sip=person.sip, content=file),
            )
        case "draw":
            picture = shared_whiteboard(_own(plan))
            yield numbers.step(
                plan.at_ms,
                scene.focus,
                ConferenceWhiteboardSnapshot(conversation=conversation, sip=person.sip, content=picture),
            )
        case _:
            text = say(scene.rng, person.language)
            message = ConferenceMessage(conversation=conversation, sip=person.sip, text=text)
            yield from reported(scene.rng, numbers.step(plan.at_ms, person.endpoints[0], message), person)


def _plans(scene: Scene, meeting: Meeting) -> list[_Plan]:
    """Return what everybody is going to do, in order of time; of one instant, in order of the people."""
    plans: list[_Plan] = []
    for position, person in enumerate(scene.people):
        presents = position == 0 or scene.rng.random() < PRESENTER_SHARE
        stays = _stays(scene, meeting)
        for begin, end, leaves in stays:
            plans.append(_Plan(begin, "join", person, presents))
            if leaves:
                plans.append(_Plan(end, "leave", person))
        if meeting.messages_each:
            count = scene.rng.randrange(2 * meeting.messages_each + 1)
            plans.extend(_Plan(_moment(scene.rng, stays), "message", person) for _ in range(count))
            if position == 0 and scene.rng.random() < TOPIC_SHARE:
                plans.append(_Plan(_moment(scene.rng, stays), "topic", person))
        if position == 0 and meeting.files:
            plans.extend(_files(scene, stays))
    plans.sort(key=lambda plan: plan.at_ms)
    return plans


def _files(scene: Scene, stays: list[_Stay]) -> Iterator[_Plan]:
    """Plan what the organizer shares, with a randomness of its own, so that all else is as without files."""
    rng = Random(f"{scene.at_ms}/{scene.people[0].sip}/files")
    for act, share in (("upload", UPLOAD_SHARE), ("draw", WHITEBOARD_SHARE)):
        if rng.random() < share:
            yield _Plan(_moment(rng, stays), act, scene.people[0])


def _own(plan: _Plan) -> Random:
    return Random(f"{plan.at_ms}/{plan.person.sip}/{plan.act}")


def _stays(scene: Scene, meeting: Meeting) -> list[_Stay]:
    rng = scene.rng
    close = scene.at_ms + meeting.duration_ms
    begin = scene.at_ms + 1 + rng.randrange(JOIN_WINDOW_MS)
    roll = rng.random()
    middle = begin + 1 + rng.randrange((close - begin) // 2)
    if roll < EARLY_SHARE:
        return [(begin, middle, True)]
    goodbye = rng.random() < GOODBYE_SHARE
    end = close - 1 - rng.randrange(MINUTE_MS) if goodbye else close
    if roll < EARLY_SHARE + REJOIN_SHARE:
        back = middle + 1 + rng.randrange(MINUTE_MS)
        return [(begin, middle, True), (back, end, goodbye)]
    return [(begin, end, goodbye)]


def _moment(rng: Random, stays: list[_Stay]) -> int:
    """Return a time at which the person is present, after the join and before the leave."""
    begin, end, _leaves = rng.choice(stays)
    return begin + 1 + rng.randrange(max(1, end - begin - 1))
