"""Neutral chat logs to events: one input conversation gives one archived conversation.

Two handles that only write to each other are a two-party conversation, and everything else is a conference, in which
nobody is present at first. `order` is the truth; times are kept as they are given, even where they go backwards.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from producers.chatline import ChatLine, ChatLogError, parse_line
from producers.chatlog_events import EventWriter
from producers.topics import Topics
from schemas.record import Record

_PARTIES: Final = 2


@dataclass(slots=True)
class Tally:
    """What a conversion came to."""

    conversations: int = 0
    """Two-party conversations."""
    conferences: int = 0
    messages: int = 0
    ignored_leaves: int = 0
    """Leaves, and the leaves in renames, of somebody who was not present."""
    records: int = 0


def convert(lines: Iterable[bytes], topics: Topics, tally: Tally) -> Iterator[Record]:
    """Yield the records of one whole conversation after the other, by their first lines' places in the input.

    The lines of a conversation may lie anywhere, so all of the input is held. `tally` is counted up as records are
    yielded. Raises ChatLogError, which names the line, for whatever is no neutral chat log.
    """
    for conversation in _grouped(lines).values():
        for record in _converted(conversation, topics, tally):
            tally.records += 1
            yield record


def _grouped(lines: Iterable[bytes]) -> dict[str, list[ChatLine]]:
    conversations: dict[str, list[ChatLine]] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            parsed = parse_line(number, line)
            conversations.setdefault(parsed.conversation, []).append(parsed)
    for conversation in conversations.values():
        conversation.sort(key=lambda line: line.order)
        for before, after in pairwise(conversation):
            if before.order == after.order:
                raise ChatLogError(max(before.number, after.number), "order: the conversation has it twice")
    return conversations


def _converted(lines: list[ChatLine], topics: Topics, tally: Tally) -> Iterator[Record]:
    handles = {line.handle for line in lines}
    if len(handles) == _PARTIES and all(line.kind == "message" for line in lines):
        tally.conversations += 1
        return _two_party(lines, topics, tally)
    tally.conferences += 1
    return _conference(lines, topics, tally)


def _two_party(lines: list[ChatLine], topics: Topics, tally: Tally) -> Iterator[Record]:
    writer = EventWriter(lines[0].conversation, topics)
    yield writer.started(lines[0], list(dict.fromkeys(line.handle for line in lines)))
    for line in lines:
        tally.messages += 1
        yield writer.said(line)
    yield writer.ended(lines[-1])


def _conference(lines: list[ChatLine], topics: Topics, tally: Tally) -> Iterator[Record]:
    writer = EventWriter(lines[0].conversation, topics)
    present: set[str] = set()
    yield writer.activated(lines[0])
    for line in lines:
        comes = line.to if line.to is not None else line.handle
        if line.kind in {"leave", "rename"}:
            if line.handle in present:
                present.remove(line.handle)
                yield writer.left(line)
            else:
                tally.ignored_leaves += 1
        if line.kind != "leave" and comes not in present:
            present.add(comes)
            yield writer.joined(line, comes)
        if line.kind == "message":
            tally.messages += 1
            yield writer.conference_said(line)
        elif line.kind == "topic":
            yield writer.topic(line)
    yield writer.conference_ended(lines[-1])
