"""What a log lacks of what a lane has yet to archive, and the order to go on without it.

Pure. A lane never goes on by itself where records are gone; somebody says so, and that is kept with the archive.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from consumers.batch import Checkpoint, LaneId, Log
from schemas.errors import LyncArchiverError
from schemas.principals import Principal

REASON_CHARS_MAX: Final = 1000
"""Characters of the reason for an order."""


class NotMissing(LyncArchiverError):
    """The lane can go on as it is, or not from there: an order would give up records that can be read."""


class Loss(StrEnum):
    """Why records are gone. Stored, so a member is never renamed."""

    EXPIRED = "expired"
    """The log begins behind the checkpoint."""

    CUT = "cut"
    """The log, of the same topic as far as is known, ends before the checkpoint."""

    MADE_AGAIN = "made-again"
    """The topic is another one of the same name."""


class Missing(NamedTuple):
    """A checkpoint that the log does not go on at; the log holds the offsets `first` to `end`, the latter excluded."""

    checkpoint: Checkpoint
    loss: Loss
    topic_id: str
    first: int
    end: int

    @property
    def given_up(self) -> int | None:
        """How many offsets an order gives up; None where nobody can know what another log had."""
        return self.first - self.checkpoint.next if self.loss is Loss.EXPIRED else None

    def __str__(self) -> str:
        lane = self.checkpoint.lane
        held = f"{lane} is archived up to offset {self.checkpoint.next}, but Kafka holds {self.first} to {self.end}"
        return (
            f"{held}: {self._lost()}; once it is certain that they are nowhere else, "
            f"`lync-archiver lane skip {lane.topic} {lane.partition} --to {self.first} --reason TEXT` goes on"
        )

    def _lost(self) -> str:
        if self.loss is Loss.EXPIRED:
            return f"the {self.given_up} offsets in between are gone"
        if self.loss is Loss.CUT:
            return "the log was cut, and what came behind its end is gone"
        before = self.checkpoint.log.topic_id
        return (
            f"the topic was made again (its id was {before}, and is {self.topic_id}), and what the former one had "
            f"behind the checkpoint is gone"
        )


def missing(checkpoint: Checkpoint, topic_id: str, first: int, end: int) -> Missing | None:
    """Return what keeps the lane from going on at its checkpoint, if anything does.

    A checkpoint of a release that kept no topic id takes the topic for the same one while offsets allow it.
    """
    if checkpoint.log.topic_id not in {None, topic_id}:
        return Missing(checkpoint, Loss.MADE_AGAIN, topic_id, first, end)
    if checkpoint.next < first:
        return Missing(checkpoint, Loss.EXPIRED, topic_id, first, end)
    if checkpoint.next > end:
        return Missing(checkpoint, Loss.CUT, topic_id, first, end)
    return None


@dataclass(frozen=True, slots=True)
class SkipOrder:
    """Somebody's word that a lane goes on at `to`, the oldest offset there is, though records before it are gone.

    It is made for the checkpoint as it stands at `start` in the log `before`, and for no other. `given_up` is how many
    offsets in between will never be archived, None where nobody can know.
    """

    lane: LaneId
    start: int
    to: int
    before: Log
    after: Log
    loss: Loss
    given_up: int | None
    first: int
    end: int
    reason: str


class KeptOrder(NamedTuple):
    """An order as it is kept for ever: what was ordered, when (aware, UTC), and by which application and token."""

    order: SkipOrder
    at: datetime
    principal: Principal
    token_id: str


def skip_order(found: Missing | None, to: int | None, reason: str) -> SkipOrder:
    """Return the order to go on at `to`, which must be the oldest offset there is; None stands for that one.

    Where offsets begin anew the lane's log gets the next number, so that no place of the former one is meant again.
    Raises NotMissing where nothing is missing, or `to` is another offset.
    """
    if found is None:
        raise NotMissing("all records after the checkpoint are there: the lane goes on as it is")
    checkpoint = found.checkpoint
    if to not in {None, found.first}:
        raise NotMissing(f"{checkpoint.lane} can go on at {found.first}, the oldest offset there is, and not at {to}")
    anew = found.loss is not Loss.EXPIRED
    return SkipOrder(
        lane=checkpoint.lane,
        start=checkpoint.next,
        to=found.first,
        before=checkpoint.log,
        after=Log(found.topic_id, checkpoint.log.number + anew),
        loss=found.loss,
        given_up=found.given_up,
        first=found.first,
        end=found.end,
        reason=reason,
    )
