"""The events of one conversation of a chat log, numbered as they are made."""

import hashlib
from typing import Final
from urllib.parse import quote

from producers.chatline import ChatLine, ChatLogError
from producers.handles import sip_of
from producers.topics import Topics
from schemas import events
from schemas.catalogue import STREAMS, TYPES
from schemas.envelope import encode
from schemas.events import EventData, Participant
from schemas.limits import RECORD_BYTES_MAX, SOURCE_CHARS_MAX
from schemas.record import Record

_ESCAPE_CHARS: Final = 3


def source_of(name: str) -> str:
    """Return `/chatlog/<name>`, percent-encoded and cut to the envelope's limit, never inside an escape."""
    source = f"/chatlog/{quote(name, safe='')}"[:SOURCE_CHARS_MAX]
    head, escape, tail = source.rpartition("%")
    return head if escape and len(source) == SOURCE_CHARS_MAX and len(tail) < _ESCAPE_CHARS - 1 else source


class EventWriter:
    """Makes one conversation's records; each call takes the next sequence.

    Its methods raise ChatLogError where a record would be larger than the contract allows.
    """

    def __init__(self, conversation: str, topics: Topics) -> None:
        self._conversation = conversation
        self._topics = topics
        self._thread = hashlib.sha256(conversation.encode()).hexdigest()[:32]
        self._sequence = 0

    def started(self, line: ChatLine, handles: list[str]) -> Record:
        """A two-party conversation begins; the first sender began it, and all of `handles` are present."""
        people = tuple(_participant(handle) for handle in handles)
        return self._record(
            line,
            events.ConversationStarted(
                conversation=self._conversation, thread=self._thread, initiator=people[0].sip, participants=people
            ),
        )

    def said(self, line: ChatLine) -> Record:
        """A message of a two-party conversation."""
        sip = sip_of(line.handle)
        return self._record(line, events.ConversationMessage(conversation=self._conversation, sip=sip, text=line.text))

    def ended(self, line: ChatLine) -> Record:
        """A two-party conversation is over."""
        last = self._sequence + 1
        return self._record(line, events.ConversationEnded(conversation=self._conversation, last_sequence=last))

    def activated(self, line: ChatLine) -> Record:
        """A conference begins, with nobody present."""
        return self._record(line, events.ConferenceActivated(conversation=self._conversation, thread=self._thread))

    def joined(self, line: ChatLine, handle: str) -> Record:
        """A person is present from here on."""
        return self._record(
            line, events.ConferenceJoined(conversation=self._conversation, participant=_participant(handle))
        )

    def left(self, line: ChatLine) -> Record:
        """The line's person is gone."""
        return self._record(line, events.ConferenceLeft(conversation=self._conversation, sip=sip_of(line.handle)))

    def conference_said(self, line: ChatLine) -> Record:
        """A message of a conference."""
        sip = sip_of(line.handle)
        return self._record(line, events.ConferenceMessage(conversation=self._conversation, sip=sip, text=line.text))

    def topic(self, line: ChatLine) -> Record:
        """A conference's topic is set."""
        sip = sip_of(line.handle)
        return self._record(line, events.ConferenceTopic(conversation=self._conversation, sip=sip, text=line.text))

    def conference_ended(self, line: ChatLine) -> Record:
        """A conference is over."""
        last = self._sequence + 1
        return self._record(line, events.ConferenceEnded(conversation=self._conversation, last_sequence=last))

    def _record(self, line: ChatLine, data: EventData) -> Record:
        self._sequence += 1
        topic = self._topics.of(STREAMS[TYPES[type(data)]])
        event_id = f"{self._thread}-{self._sequence}"
        record = encode(event_id, source_of(line.source), line.at, self._sequence, data, topic)
        if len(record.value or b"") > RECORD_BYTES_MAX:
            raise ChatLogError(line.number, f"text: its record would have more than {RECORD_BYTES_MAX} bytes")
        return record


def _participant(handle: str) -> Participant:
    return Participant(sip=sip_of(handle), name=handle)
