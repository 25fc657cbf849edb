"""What a recording says must be in the mailboxes, worked out the plainest way there is.

Each conversation is a dictionary of facts by sequence. Who sees a fact: walk them in order with a set of the people
who are present and a dictionary of their roles. No ranges, no states, no batches; texts are kept as hashes, so that a
recording of any length fits.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from deploy.verification.saying import forgotten, said
from schemas.catalogue import Stream
from schemas.envelope import Event, decode
from schemas.errors import RecordRejected
from schemas.fingerprint import fingerprint
from schemas.record import Record


class Line(NamedTuple):
    """An entry as it must stand in a mailbox; the text as its hash, and how many characters it has."""

    kind: str
    at: str
    sip: str
    text: bytes
    characters: int


class Fact(NamedTuple):
    """One event: its type, id and time, the line it makes if any, its data without text, and hashes of the whole and
    of its record."""

    type: str
    id: str
    at: str
    line: Line | None
    data: dict[str, Any]
    content: bytes
    record: bytes

    @property
    def file(self) -> dict[str, Any] | None:
        """The file that the event refers to, if it does."""
        found: dict[str, Any] | None = self.data.get("content")
        return found


@dataclass(slots=True)
class History:
    """One conversation's facts by sequence."""

    facts: dict[int, Fact] = field(default_factory=dict)

    @property
    def area(self) -> str:
        """`conversation`, `call` or `conference`."""
        return next(iter(self.facts.values())).type.split(".")[1]

    @property
    def end(self) -> int | None:
        """The sequence of the last event, where it is known."""
        return next((number for number, fact in self.facts.items() if fact.type.endswith(".ended.v1")), None)


@dataclass(slots=True)
class Expectation:
    """All histories of a recording, and the records that must be in quarantine, by fingerprint."""

    histories: dict[str, History] = field(default_factory=dict)
    quarantined: Counter[bytes] = field(default_factory=Counter)
    duplicates: int = 0

    def of_files(self) -> set[bytes]:
        """Return the records whose events refer to files, by fingerprint."""
        facts = (fact for history in self.histories.values() for fact in history.facts.values())
        return {fact.record for fact in facts if fact.file is not None}


def text_hash(text: str) -> bytes:
    """Return what stands for a text here."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def expect(records: Iterable[Record], streams: dict[str, Stream], record_bytes_max: int) -> Expectation:
    """Read records in the order they went into Kafka."""
    expectation = Expectation()
    for record in records:
        if record.topic not in streams:
            continue
        try:
            event = decode(record, streams[record.topic], record_bytes_max)
        except RecordRejected:
            expectation.quarantined[fingerprint(record)] += 1
            continue
        history = expectation.histories.get(event.data.conversation) or History()
        fact = _fact(event, fingerprint(record))
        held = history.facts.get(event.sequence)
        if held is not None and (held.type, held.id, held.content) == (fact.type, fact.id, fact.content):
            expectation.duplicates += 1
        elif held is not None or not _fits(history, event.sequence, fact):
            expectation.quarantined[fingerprint(record)] += 1
        else:
            history.facts[event.sequence] = fact
            expectation.histories[event.data.conversation] = history
    return expectation


def _fact(event: Event, record: bytes) -> Fact:
    data = json.loads(event.body)
    content = hashlib.blake2b(json.dumps(data, sort_keys=True).encode(), digest_size=16).digest()
    entry = said(event.type, data)
    line = None
    if entry is not None:
        line = Line(entry.kind, event.at, entry.sip, text_hash(entry.text), len(entry.text))
    return Fact(str(event.type), event.id, event.at, line, forgotten(data), content, record)


def _fits(history: History, sequence: int, fact: Fact) -> bool:
    if not history.facts:
        return True
    if fact.type.split(".")[1] != history.area:
        return False
    end = history.end
    if end is not None and sequence > end:
        return False
    return not (fact.type.endswith(".ended.v1") and (end is not None or max(history.facts) > sequence))
