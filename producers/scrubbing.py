"""Records with their people, texts and subjects replaced, and all else as it was: what can be shown to strangers."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from producers.json_literals import replaced
from producers.pseudonyms import Pseudonyms
from schemas.catalogue import MODELS, EventType
from schemas.envelope import decode
from schemas.errors import RecordRejected
from schemas.record import Headers, Record
from schemas.times import RFC3339

_JSON: Final = re.compile(rb"application/(?:cloudevents\+)?json", re.IGNORECASE)

_KEPT: Final = {
    "specversion": re.compile(r"1\.0"),
    "type": re.compile("|".join(f"{re.escape(name.rsplit('.v', 1)[0])}\\.v[0-9]{{1,3}}" for name in MODELS)),
    "time": re.compile(RFC3339),
    "sequence": re.compile("[0-9]{1,19}"),
    "datacontenttype": re.compile("application/json", re.IGNORECASE),
    "role": re.compile("presenter|attendee"),
    "format": re.compile("plain|html"),
    "reason": re.compile("closed|escalated"),
    "modality": re.compile("im|audio|video|data|application-sharing"),
    "audience": re.compile("everyone|presenters"),
    "origin": re.compile("internal|federated|anonymous|pstn"),
    "sharing": re.compile("desktop|application|video"),
    "media_type": re.compile("[0-9A-Za-z][0-9A-Za-z!#$&^_.+-]*/[0-9A-Za-z][0-9A-Za-z!#$&^_.+-]*"),
}
"""What stays, by its name: the contract's own words, times and sequences, and nothing else under these names."""

_IDENTIFIERS: Final = frozenset(
    {"id", "source", "conversation", "thread", "sip", "initiator", "conference_uri", "instance", "escalated_from"}
    | {"sha256", "by", "recipients", "poll", "question", "link"}
)
_MEMBERS: Final = frozenset(
    {"data", "participant", "participants", "invited", "organizer", "name", "subject", "text", "last_sequence"}
    | {"duration_s", "content", "size", "locked", "choices", "tally", "title", "message"}
    | _KEPT.keys()
    | _IDENTIFIERS
)
_NUMBERS: Final = frozenset({"last_sequence", "duration_s", "message", "tally"})
"""Numbers that stay: sequences, durations, and counts of votes, which say nothing of anybody."""
_ASKED: Final = frozenset({EventType.CONFERENCE_POLL_OPENED})
"""Types whose `question` is what somebody asked; elsewhere it is an id."""

_HEADERS: Final = frozenset({"content-type", *(f"ce_{name}" for name in _KEPT.keys() | {"id", "source"})})


@dataclass(slots=True)
class ScrubTally:
    """How many records were scrubbed, and how many of them carried no event, so that all of them was replaced."""

    records: int = 0
    undecodable: int = 0


class Scrubber:
    """Replaces what people said and who they are, by pseudonyms of one secret.

    Topic, partition, offset, timestamp, the event's type, time and sequence, and all lengths stay. What decodes decodes
    again, and what does not decode does not.
    """

    def __init__(self, secret: bytes) -> None:
        self._names = Pseudonyms(secret)
        self.tally = ScrubTally()

    def scrubbed(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records scrubbed, in their order, one in memory at a time."""
        return map(self.scrub, records)

    def scrub(self, record: Record) -> Record:
        """Return the record scrubbed, and count it."""
        self.tally.records += 1
        try:
            event = decode(record, None, len(record.value or b""))
            string = self._poll_string if event.type in _ASKED else self._string
            value: bytes | None = replaced((record.value or b"").decode(), self._member, string, _NUMBERS).encode()
        except RecordRejected:
            self.tally.undecodable += 1
            value = _each(self._names.raw, record.value)
        return record._replace(key=_each(self._key, record.key), headers=self._headers(record.headers), value=value)

    def _member(self, name: str) -> str:
        """Keep the contract's names; others stay different, since no object may name a key twice."""
        if name in _MEMBERS:
            return name
        new = self._names.identifier(name)
        return new if new not in _MEMBERS else self._names.prose(name)

    def _string(self, member: str, text: str) -> str:
        if member in _IDENTIFIERS:
            return self._names.identifier(text)
        kept = _KEPT.get(member)
        return text if kept is not None and kept.fullmatch(text) else self._names.prose(text)

    def _poll_string(self, member: str, text: str) -> str:
        return self._names.prose(text) if member == "question" else self._string(member, text)

    def _key(self, key: bytes) -> bytes:
        try:
            return self._names.identifier(key.decode()).encode()
        except UnicodeDecodeError:
            return self._names.raw(key)

    def _headers(self, headers: Headers) -> Headers:
        return tuple(
            (name, _each(self._known(name), value))
            if name in _HEADERS
            else (self._names.prose(name), _each(self._names.raw, value))
            for name, value in headers
        )

    def _known(self, name: str) -> Callable[[bytes], bytes]:
        if name == "content-type":
            return self._content_type

        def header(value: bytes) -> bytes:
            try:
                return self._string(name.removeprefix("ce_"), value.decode()).encode()
            except UnicodeDecodeError:
                return self._names.raw(value)

        return header

    def _content_type(self, value: bytes) -> bytes:
        """Keep the type and replace its parameters."""
        kept = _JSON.match(value)
        length = kept.end() if kept is not None else 0
        return value[:length] + self._names.raw(value[length:])


def _each(replace: Callable[[bytes], bytes], value: bytes | None) -> bytes | None:
    return None if value is None else replace(value)
