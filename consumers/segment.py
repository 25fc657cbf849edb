"""Segments: a conversation's events in immutable pieces, each sealed with the hash of the one before."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from consumers.event_text import write_events
from schemas.envelope import Event

SEGMENT_EVENTS_MAX: Final = 1000
"""Events of one segment. Looking one up reads its segment, and a document must stay far below 16 MiB."""


class Segment(NamedTuple):
    """Events of one conversation with consecutive sequences from `first`.

    `ordinal` counts the conversation's segments in the order of their commit, from 1; `text` is the events as
    `consumers.event_text` writes them; `hash` is SHA-256 over `previous` (the hash of the segment before) and the
    text in UTF-8, so that no piece can be altered, removed, inserted or swapped unseen.
    """

    conversation: str
    first: int
    ordinal: int
    events: tuple[Event, ...]
    text: str
    previous: bytes
    hash: bytes

    @property
    def last(self) -> int:
        """The sequence of the last event."""
        return self.first + len(self.events) - 1


def seal(conversation: str, ordinal: int, events: tuple[Event, ...], previous: bytes) -> Segment:
    """Return the segment of these events, given in order and without a hole, chained to the previous one."""
    text = write_events(events)
    return Segment(conversation, events[0].sequence, ordinal, events, text, previous, _digest(text, previous))


def seal_all(conversation: str, count: int, head: bytes, fresh: Mapping[int, Event]) -> list[Segment]:
    """Return the segments that a batch adds to a conversation with `count` segments, of which `head` is the newest."""
    segments: list[Segment] = []
    for run in _runs(fresh):
        segments.append(seal(conversation, count + len(segments) + 1, run, head))
        head = segments[-1].hash
    return segments


def intact(segment: Segment) -> bool:
    """Return whether the segment's hash is that of its text and its previous hash, and its events are the text's."""
    return segment.hash == _digest(segment.text, segment.previous) and segment.text == write_events(segment.events)


def _runs(fresh: Mapping[int, Event]) -> Iterator[tuple[Event, ...]]:
    """Split events into runs of consecutive sequences, none longer than a segment may be."""
    sequences = sorted(fresh)
    if sequences[-1] - sequences[0] < min(len(sequences), SEGMENT_EVENTS_MAX):  # one run: nearly always
        yield tuple(map(fresh.__getitem__, sequences))
        return
    start = 0
    for index in range(1, len(sequences) + 1):
        if (
            index == len(sequences)
            or sequences[index] != sequences[index - 1] + 1
            or index - start == SEGMENT_EVENTS_MAX
        ):
            yield tuple(map(fresh.__getitem__, sequences[start:index]))
            start = index


def _digest(text: str, previous: bytes) -> bytes:
    return hashlib.sha256(previous + text.encode()).digest()
