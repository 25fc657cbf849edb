"""What one lane commits at once, and what became of each record in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from consumers.content import Attachment, Claim, ContentState
from consumers.conversation import Conversation
from consumers.copy import Copy
from consumers.item import Item
from consumers.segment import Segment
from schemas.errors import Cause
from schemas.record import Record


class LaneId(NamedTuple):
    """A lane is one partition of one topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Log(NamedTuple):
    """What offsets of a lane are of: the topic's id in Kafka, None where no release noted it yet, and a number.

    The number rises when offsets begin anew, as in a topic that was made again: a place means something in one log
    only.
    """

    topic_id: str | None = None
    number: int = 0


UNNOTED = Log()


class Quarantined(NamedTuple):
    """A record that cannot be archived, whole, with its cause; `detail` repeats nothing of its content.

    `log` is the number of the log that its offset is of; `refers` has the digests of the files that it refers to, as
    far as can be told.
    """

    record: Record
    cause: Cause
    detail: str
    log: int = 0
    refers: frozenset[str] = frozenset()


class Counts(NamedTuple):
    """What became of records. Their sum is the number of records read: nothing is lost."""

    archived: int = 0
    duplicate: int = 0
    quarantined: int = 0

    @property
    def total(self) -> int:
        """How many records these are."""
        return self.archived + self.duplicate + self.quarantined


ZERO = Counts()


class FirstUse(NamedTuple):
    """A mailbox met in this batch: whose it is, and the name that a conversation gave them first, and when."""

    mailbox: str
    name: str
    at: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one run of records changes. It is committed whole or not at all.

    `start` is the offset of the checkpoint it was made from, `end` the next offset after it, both in `log`.
    `conversations` are the states after the batch, each one revision on from what is stored; `rosters` names those
    whose opening, members or undelivered messages changed. `copies` were decided by the policies up to the number
    `policies`; one without a target is there no more, nor are the items `lapsed` (by id), of people whose history turns
    out not to be kept. `watermark` is the latest event time that the lane has seen.
    Of the events that refer to files `attachments` says what became of these; those whose file is not there are in
    `quarantine` too.
    """

    lane: LaneId
    start: int
    end: int
    segments: tuple[Segment, ...]
    conversations: tuple[Conversation, ...]
    rosters: frozenset[str]
    items: tuple[Item, ...]
    copies: tuple[Copy, ...]
    mailboxes: tuple[FirstUse, ...]
    quarantine: tuple[Quarantined, ...]
    counts: Counts
    watermark: datetime | None
    log: Log = UNNOTED
    policies: int = 0
    lapsed: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    def present(self) -> set[Claim]:
        """Return the files that must be there, and verified, when this is committed."""
        return {one.claim for one in self.attachments if one.state is ContentState.STORED}

    def referred(self) -> set[str]:
        """Return the digests of all files that something refers to from this commit on, there or not."""
        named = {one.claim.sha256 for one in self.attachments}
        return named.union(*(entry.refers for entry in self.quarantine))

    def reached(self) -> Iterator[str]:
        """Yield the mailboxes that show what this batch writes; one that already has its item shows new messages too.

        Repeats are not left out.
        """
        yield from (item.mailbox for item in self.items)
        yield from (copy.item.mailbox for copy in self.copies)
        yield from (use.mailbox for use in self.mailboxes)
        for conversation in self.conversations:
            yield from (sip for sip, member in conversation.members.items() if member.internal)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a lane has come: the next offset to read, what became of all before it, and its latest event time."""

    lane: LaneId
    next: int
    counts: Counts = ZERO
    watermark: datetime | None = None
    log: Log = UNNOTED
