"""The redrive's pure part: quarantined records folded again, on top of what is stored now."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from consumers.batch import Batch, Checkpoint, Counts, LaneId
from consumers.content import Attachment, Claim, ContentState, Place, States, claim
from consumers.conversation import Conversation
from consumers.decoding import Decoded
from consumers.fold import NOTHING, fold, unfulfilled
from consumers.policy.governance import UNGOVERNED, Governance
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

    Of `batch` the lane, segments, conversations, rosters, items, copies and mailboxes count: it moves no checkpoint
    and quarantines nothing. `healed` are attachments that were archived without their file, which is there by now; they
    are stored from here on. They show in the mailboxes of `healed_for`.
    """

    batch: Batch
    results: tuple[Result, ...]
    healed: tuple[Attachment, ...] = ()
    healed_for: frozenset[str] = frozenset()

    @property
    def moved(self) -> Counts:
        """How the lane's counts change: what is archived or a duplicate now is quarantined no more; the sum is 0."""
        outcomes = [result.outcome for result in self.results]
        archived, duplicate = outcomes.count(Outcome.ARCHIVED), outcomes.count(Outcome.DUPLICATE)
        return Counts(archived, duplicate, -(archived + duplicate))

    def reached(self) -> Iterator[str]:
        """Yield the mailboxes that show what this writes. Repeats are not left out."""
        yield from self.batch.reached()
        yield from self.healed_for

    def present(self) -> set[Claim]:
        """Return the files that must be there, and verified, when this is committed."""
        return self.batch.present() | {one.claim for one in self.healed}


def refold(
    lane: LaneId,
    attempts: Sequence[Attempt],
    known: Mapping[str, Conversation],
    recalled: Mapping[Place, Event],
    contents: States = NOTHING,
    stubs: Container[Place] = frozenset(),
    governance: Governance = UNGOVERNED,
) -> Redrive:
    """Fold entries of one lane, in order of offset, on top of the stored conversations.

    `known`, `recalled` and `contents` are as for `consumers.fold.fold`; `stubs` has those of the recalled places whose
    file was not there when they were archived. Every attempt has one result, in the same order.
    """
    decoded = [attempt.decoded for attempt in attempts]
    batch = fold(Checkpoint(lane, decoded[0].record.offset), decoded, known, recalled, contents, governance)
    # By identity: a place may be there twice, of two logs.
    refused = {id(rejected.record): rejected for rejected in batch.quarantine}
    # So here: of two equal reports in one run the first is archived, and the other is its duplicate.
    added = {id(event) for segment in batch.segments for event in segment.events}
    healed: dict[Place, Attachment] = {}
    results = []
    for entry, (record, event), replacement in attempts:
        rejected = refused.get(id(record))
        outcome = Outcome.ARCHIVED if id(event) in added else Outcome.DUPLICATE
        if rejected is None and isinstance(event, Event) and (place := _place(event)) in stubs and place not in healed:
            attachment = _found(event, contents)
            if attachment.state is ContentState.STORED:
                healed[place] = attachment
                outcome = Outcome.ARCHIVED
            else:
                rejected = unfulfilled(record, attachment, entry.entry.log)
        if rejected is not None:
            results.append(Result(entry, None, rejected.cause, rejected.detail, replacement))
        else:
            results.append(Result(entry, outcome, entry.entry.cause, entry.entry.detail, replacement))
    owners = frozenset(sip for name, _ in healed for sip, member in known[name].members.items() if member.internal)
    return Redrive(replace(batch, quarantine=()), tuple(results), tuple(healed.values()), owners)


def _place(event: Event) -> Place:
    return event.data.conversation, event.sequence


def _found(event: Event, contents: States) -> Attachment:
    claimed = claim(event.data)
    assert claimed is not None
    return Attachment(event.data.conversation, event.sequence, claimed, contents[claimed])
