"""A meeting: people join in the first five minutes, write, lose the connection, leave early, and it ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from random import Random
from typing import Final, NamedTuple

from producers.simulator.agenda import acts, failure
from producers.simulator.attendance import Attendance, drawn_stays, moment
from producers.simulator.files import shared_file, shared_whiteboard
from producers.simulator.floor import Floor
from producers.simulator.guests import guests
from producers.simulator.phrases import say
from producers.simulator.poll import Voting, vote
from producers.simulator.scene import Scene, reported
from producers.simulator.step import Numbering, Step, identifier, thread
from schemas.events import (
    ConferenceActivated,
    ConferenceContentUploaded,
    ConferenceEnded,
    ConferenceJoined,
    ConferenceLeft,
    ConferenceMessage,
    ConferenceTopic,
    ConferenceWhiteboardSnapshot,
    EventData,
)
from schemas.meetings import ConferenceEjected, ConferenceJoinedV2

PRESENTER_SHARE: Final = 0.2
TOPIC_SHARE: Final = 0.25
UPLOAD_SHARE: Final = 0.5
WHITEBOARD_SHARE: Final = 0.2
"""Meetings in which the organizer shares a file, and draws on the whiteboard, where files are asked for."""

EJECTED_SHARE: Final = 0.1
"""Of those who go from a whole meeting, how many are sent."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """What is known of a meeting before it begins. `messages_each` is a mean; 0 is a meeting without messages.

    With `files` some are shared in it. A `whole` one has guests, roles and all else that meetings leave behind; how
    its people vote is `voting`. It lasts `attendance.DURATION_MIN_MS` at least.
    """

    duration_ms: int
    messages_each: int
    thread: str = ""
    conference_uri: str = ""
    instance: str = ""
    subject: str = ""
    escalated_from: str | None = None
    files: bool = False
    whole: bool = False
    voting: Voting = vote


class _Plan(NamedTuple):
    """One thing that somebody is going to do, or that is going to be said as it is."""

    at_ms: int
    act: str
    who: Attendance
    data: EventData | None = None


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
    yield from _Course(scene, meeting, conversation, numbers).steps()
    ended = ConferenceEnded(conversation=conversation, last_sequence=numbers.next)
    yield numbers.step(scene.at_ms + meeting.duration_ms, scene.focus, ended)


class _Course:
    """A meeting as it is played: what is planned still, in order of time; of one instant, in order of planning."""

    def __init__(self, scene: Scene, meeting: Meeting, conversation: str, numbers: Numbering) -> None:
        self._scene = scene
        self._meeting = meeting
        self._conversation = conversation
        self._numbers = numbers
        self._planned = 0
        self._plans: list[tuple[int, int, _Plan]] = []
        self._close_ms = scene.at_ms + meeting.duration_ms
        self._floor: Floor | None = None

    def steps(self) -> Iterator[Step]:
        people = self._come()
        if self._meeting.whole:
            self._floor = self._whole(people)
        heapify(self._plans)
        while self._plans:
            yield from self._played(heappop(self._plans)[2])

    def _come(self) -> list[Attendance]:
        """Plan what everybody does whom the meeting is for."""
        rng, meeting, people = self._scene.rng, self._meeting, []
        for position, person in enumerate(self._scene.people):
            presents = position == 0 or rng.random() < PRESENTER_SHARE
            found = Attendance(person, presents, drawn_stays(rng, self._scene.at_ms, self._close_ms))
            people.append(found)
            self._plan_stays(found)
            if meeting.messages_each:
                self._plan_messages(rng, found)
                if position == 0 and rng.random() < TOPIC_SHARE:
                    self._plan(moment(rng, found.stays), "topic", found)
        if meeting.files:
            self._plan_files(people[0])
        return people

    def _whole(self, people: list[Attendance]) -> Floor:
        """Plan the guests and all else of a whole meeting, with a randomness of its own."""
        scene, rng = self._scene, Random(f"{self._conversation}/whole")
        strangers = guests(rng, len(people), scene.at_ms, self._close_ms, scene.focus)
        for found in strangers:
            self._plan_stays(found)
            if self._meeting.messages_each:
                self._plan_messages(rng, found)
        floor = Floor(rng, self._conversation, scene.at_ms, self._close_ms, (*people, *strangers))
        for at_ms, data in acts(floor, self._meeting.voting, files=self._meeting.files):
            self._plan(at_ms, "said", people[0], data)
        return floor

    def _plan(self, at_ms: int, act: str, who: Attendance, data: EventData | None = None) -> None:
        heappush(self._plans, (at_ms, self._planned, _Plan(at_ms, act, who, data)))
        self._planned += 1

    def _plan_stays(self, who: Attendance) -> None:
        for begin, end, leaves in who.stays:
            self._plan(begin, "join", who)
            if leaves:
                self._plan(end, "leave", who)

    def _plan_messages(self, rng: Random, who: Attendance) -> None:
        for _ in range(rng.randrange(2 * self._meeting.messages_each + 1)):
            self._plan(moment(rng, who.stays), "message", who)

    def _plan_files(self, organizer: Attendance) -> None:
        """Plan what the organizer shares, with a randomness of its own, so that all else is as without files."""
        rng = Random(f"{self._scene.at_ms}/{organizer.person.sip}/files")
        for act, share in (("upload", UPLOAD_SHARE), ("draw", WHITEBOARD_SHARE)):
            if rng.random() < share:
                self._plan(moment(rng, organizer.stays), act, organizer)

    def _played(self, plan: _Plan) -> Iterator[Step]:
        scene, person = self._scene, plan.who.person
        if plan.act == "message":
            text = say(scene.rng, person.language)
            message = ConferenceMessage(conversation=self._conversation, sip=person.sip, text=text)
            step = self._numbers.step(plan.at_ms, person.endpoints[0], message)
            yield from reported(scene.rng, step, person)
            self._fail(plan, step.sequence)
        else:
            yield self._numbers.step(plan.at_ms, scene.focus, plan.data or self._done(plan))

    def _done(self, plan: _Plan) -> EventData:
        person, conversation = plan.who.person, self._conversation
        match plan.act:
            case "join":
                return self._joined(plan.who)
            case "leave":
                return self._gone(plan)
            case "topic":
                return ConferenceTopic(
                    conversation=conversation, sip=person.sip, text=say(self._scene.rng, person.language)
                )
            case "upload":
                return ConferenceContentUploaded(
                    conversation=conversation, sip=person.sip, content=shared_file(_own(plan))
                )
            case _:
                return ConferenceWhiteboardSnapshot(
                    conversation=conversation, sip=person.sip, content=shared_whiteboard(_own(plan))
                )

    def _joined(self, who: Attendance) -> EventData:
        participant = who.person.presenter if who.presents else who.person.attendee
        if self._meeting.whole:
            return ConferenceJoinedV2(conversation=self._conversation, participant=participant, origin=who.origin)
        return ConferenceJoined(conversation=self._conversation, participant=participant)

    def _gone(self, plan: _Plan) -> EventData:
        """Let somebody leave, or be sent away, where somebody can."""
        sip = plan.who.person.sip
        if self._floor is not None and self._floor.happens(EJECTED_SHARE):
            host = self._floor.presenter(plan.at_ms, plan.who.person)
            if host is not None:
                return ConferenceEjected(conversation=self._conversation, sip=sip, by=host.sip)
        return ConferenceLeft(conversation=self._conversation, sip=sip)

    def _fail(self, plan: _Plan, sequence: int) -> None:
        if self._floor is None:
            return
        failed = failure(self._floor, plan.at_ms, sequence, plan.who.person.sip)
        if failed is not None:
            self._plan(failed.at_ms, "said", plan.who, failed.data)


def _own(plan: _Plan) -> Random:
    return Random(f"{plan.at_ms}/{plan.who.person.sip}/{plan.act}")
