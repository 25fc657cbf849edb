"""The redrive's pure part: quarantined records folded again, on top of what is stored now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from consumers.batch import Batch, Checkpoint, Counts, LaneId
from consumers.conversation import Conversation
from consumers.decoding import Decoded
from consumers.fold import Place, fold
from consumers.quarantine import Outcome, QuarantineEntry
from schemas.envelope import Event
from schemas.errors import Cause


class Attempt(NamedTuple):
    """An entry, what its bytes say now, and the fingerprint of these bytes where they are not the stored ones."""

    entry: QuarantineEntry
    decoded: Decoded
    replacement: bytes | None = None


class Result(NamedTuple):
    """What became of an entry. Without an outcome it stays in quarantine, for this cause."""

    entry: QuarantineEntry
    outcome: Outcome | None
    cause: Cause
    detail: str
    replacement: bytes | None = None


@dataclass(frozen=True, slots=True)
class Redrive:
    """Everything that one run of a lane's entries changes; committed whole or not at all.

    Of `batch` the lane, segments, conversations, rosters, items and mailboxes count: it moves no checkpoint and
    quarantines nothing.
    """

    batch: Batch
    results: tuple[Result, ...]

    @property
    def moved(self) -> Counts:
        """How the lane's counts change: what is archived or a duplicate now is quarantined no more; the sum is 0."""
        outcomes = [result.outcome for result in self.results]
        archived, duplicate = outcomes.count(Outcome.ARCHIVED), outcomes.count(Outcome.DUPLICATE)
        return Counts(archived, duplicate, -(archived + duplicate))


def refold(
    lane: LaneId,
    attempts: Sequence[Attempt],
    known: Mapping[str, Conversation],
    recalled: Mapping[Place, Event],
) -> Redrive:
    """Fold entries of one lane, in order of offset, on top of the stored conversations.

    `known` and `recalled` are as for `consumers.fold.fold`. Every attempt has one result, in the same order.
    """
    decoded = [attempt.decoded for attempt in attempts]
    batch = fold(Checkpoint(lane, decoded[0].record.offset), decoded, known, recalled)
    # By identity: a place may be there twice, of two logs.
    refused = {id(rejected.record): rejected for rejected in batch.quarantine}
    # So here: of two equal reports in one run the first is archived, and the other is its duplicate.
    added = {id(event) for segment in batch.segments for event in segment.events}
    results = []
    for entry, (record, event), replacement in attempts:
        rejected = refused.get(id(record))
        if rejected is not None:
            results.append(Result(entry, None, rejected.cause, rejected.detail, replacement))
            continue
        outcome = Outcome.ARCHIVED if id(event) in added else Outcome.DUPLICATE
        results.append(Result(entry, outcome, entry.entry.cause, entry.entry.detail, replacement))
    return Redrive(replace(batch, quarantine=()), tuple(results))
