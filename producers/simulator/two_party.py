"""Two people write to each other: answered at once or late, declined, missed, left and resumed, or grown."""

from collections.abc import Iterator
from typing import Final

from producers.simulator.attendance import DURATION_MIN_MS
from producers.simulator.conference import Meeting, meet
from producers.simulator.phrases import say
from producers.simulator.population import Person
from producers.simulator.scene import Scene, reported
from producers.simulator.step import MINUTE_MS, SECOND_MS, Numbering, Step, identifier, thread
from schemas.events import (
    ConversationEnded,
    ConversationMessage,
    ConversationMissed,
    ConversationParticipantJoined,
    ConversationParticipantLeft,
    ConversationStarted,
    EndReason,
    EventData,
)

MISSED_SHARE: Final = 0.06
DECLINED_SHARE: Final = 0.03
LATE_SHARE: Final = 0.10
INTERRUPTED_SHARE: Final = 0.05
ESCALATED_SHARE: Final = 0.02
MESSAGES_MAX: Final = 19
"""From 1 to 19 messages, all as likely: 10 on average, Microsoft's model for a session."""

GAP_MS: Final = (2 * SECOND_MS, 45 * SECOND_MS)
RING_MS: Final = 40 * SECOND_MS


class _Dialogue:
    """One two-party conversation as it is played."""

    def __init__(self, scene: Scene, *, whole: bool) -> None:
        self._whole = whole
        self._rng = scene.rng
        self._initiator, self._peer = scene.people[:2]
        self._spare = scene.people[2:]
        self._at_ms = scene.at_ms
        self._id = identifier(scene.rng)
        self._thread = thread(scene.rng)
        self._numbers = Numbering(scene.rng)

    def missed(self) -> Iterator[Step]:
        """The peer never answers: a missed conversation that holds the first message."""
        yield self._start(answered=False)
        yield from self._message(self._initiator)
        self._at_ms += RING_MS
        missed = ConversationMissed(conversation=self._id, participant=self._peer.attendee)
        yield self._step(self._peer, missed)
        yield self._end(EndReason.CLOSED)

    def declined(self) -> Iterator[Step]:
        """The peer says no: for the peer there is no conversation."""
        yield self._start(answered=False)
        yield from self._message(self._initiator)
        self._wait()
        yield self._end(EndReason.CLOSED)

    def answered_late(self) -> Iterator[Step]:
        yield self._start(answered=False)
        yield from self._message(self._initiator)
        self._wait()
        yield self._join(self._peer)
        yield from self._messages(self._rng.randrange(MESSAGES_MAX))
        yield self._end(EndReason.CLOSED)

    def interrupted(self) -> Iterator[Step]:
        """Somebody leaves; what the other writes meanwhile is not theirs to see; they come back."""
        away, stays = self._rng.sample((self._initiator, self._peer), 2)
        yield self._start(answered=True)
        yield from self._messages(1 + self._rng.randrange(MESSAGES_MAX // 2))
        self._wait()
        yield self._step(away, ConversationParticipantLeft(conversation=self._id, sip=away.sip))
        for _ in range(self._rng.randrange(3)):
            yield from self._message(stays)
        self._wait()
        yield self._join(away)
        yield from self._messages(1 + self._rng.randrange(MESSAGES_MAX // 2))
        yield self._end(EndReason.CLOSED)

    def escalated(self) -> Iterator[Step]:
        """A third person is asked in: a conference with the same thread takes over."""
        yield self._start(answered=True)
        yield from self._messages(1 + self._rng.randrange(MESSAGES_MAX))
        self._wait()
        yield self._end(EndReason.ESCALATED)
        meeting = Meeting(
            duration_ms=DURATION_MIN_MS + self._rng.randrange(15) * MINUTE_MS,
            messages_each=5,
            thread=self._thread,
            escalated_from=self._id,
            whole=self._whole,
        )
        people = (self._initiator, self._peer, *self._spare)
        yield from meet(Scene(self._rng, self._at_ms + SECOND_MS, people), meeting)

    def plain(self) -> Iterator[Step]:
        yield self._start(answered=True)
        yield from self._messages(1 + self._rng.randrange(MESSAGES_MAX))
        self._wait()
        yield self._end(EndReason.CLOSED)

    def _start(self, *, answered: bool) -> Step:
        both = (self._initiator.attendee, self._peer.attendee)
        return self._step(
            self._initiator,
            ConversationStarted(
                conversation=self._id,
                thread=self._thread,
                initiator=self._initiator.sip,
                participants=both if answered else both[:1],
                invited=() if answered else both[1:],
            ),
        )

    def _messages(self, count: int) -> Iterator[Step]:
        speaker = self._initiator
        for _ in range(count):
            yield from self._message(speaker)
            if self._rng.random() < 0.7:
                speaker = self._peer if speaker is self._initiator else self._initiator

    def _message(self, sender: Person) -> Iterator[Step]:
        self._wait()
        text = say(self._rng, sender.language)
        step = self._step(sender, ConversationMessage(conversation=self._id, sip=sender.sip, text=text))
        yield from reported(self._rng, step, sender)

    def _join(self, person: Person) -> Step:
        return self._step(person, ConversationParticipantJoined(conversation=self._id, participant=person.attendee))

    def _end(self, reason: EndReason) -> Step:
        data = ConversationEnded(conversation=self._id, last_sequence=self._numbers.next, reason=reason)
        return self._step(self._initiator, data)

    def _step(self, person: Person, data: EventData) -> Step:
        return self._numbers.step(self._at_ms, person.endpoints[0], data)

    def _wait(self) -> None:
        least, most = GAP_MS
        self._at_ms += least + int(self._rng.random() * (most - least))


def talk(scene: Scene, *, whole: bool = False) -> Iterator[Step]:
    """Play a conversation of the scene's first two people; the others are there to be asked in.

    A meeting that it grows into is a `whole` one, or not.
    """
    dialogue = _Dialogue(scene, whole=whole)
    scripts = (
        (MISSED_SHARE, dialogue.missed),
        (DECLINED_SHARE, dialogue.declined),
        (LATE_SHARE, dialogue.answered_late),
        (INTERRUPTED_SHARE, dialogue.interrupted),
        (ESCALATED_SHARE if len(scene.people) > 2 else 0.0, dialogue.escalated),
    )
    roll = scene.rng.random()
    for share, script in scripts:
        roll -= share
        if roll < 0:
            return script()
    return dialogue.plain()
