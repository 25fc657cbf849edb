"""The comparison: every item of a recording's conversations against what the recording says, entry by entry."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice, pairwise
from typing import Any, Final, NamedTuple, TypeVar

from consumers.conversation import Conversation
from consumers.ports import ContentStore
from consumers.reading import ArchiveReader, ListedItem, NotFound
from consumers.sequences import holds
from deploy.export import item_document, listed_document
from deploy.verification.audience import Share, shares
from deploy.verification.files import Files
from deploy.verification.model import Expectation, History, Line, text_hash

Key = TypeVar("Key", str, bytes)

CHUNK = 200
"""Conversations looked at in one query."""


@dataclass(slots=True)
class Verdict:
    """Counts of (mailbox, entry) pairs; `quarantined` counts records. `digest` is SHA-256 over the items, in hex.

    `removed` are pairs of conversations that policies had removed, which are not expected; that their events were there
    is what the archive says of itself.
    """

    expected: int = 0
    archived: int = 0
    missing: int = 0
    duplicated: int = 0
    misordered: int = 0
    altered: int = 0
    leaked: int = 0
    quarantined: int = 0
    removed: int = 0
    digest: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.duplicated or self.misordered or self.altered or self.leaked)

    def count(self, difference: "Difference") -> None:
        """Add the pairs that it stands for."""
        setattr(self, difference.kind, getattr(self, difference.kind) + difference.pairs)

    def document(self) -> dict[str, Any]:
        """Return the counts by name."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


class Difference(NamedTuple):
    """One thing that is wrong, and where: a mailbox, empty for the quarantine, a conversation and a sequence.

    `kind` is the count that it is part of; `pairs` is how many it stands for, more than one where a whole item is
    missing or too many, and `sequence` is None there. `wanted` and `found` are the two entries, where there are such;
    `facts` names what an item says wrongly of itself.
    """

    kind: str
    mailbox: str
    conversation: str
    sequence: int | None = None
    wanted: Line | None = None
    found: dict[str, Any] | None = None
    facts: tuple[str, ...] = ()
    pairs: int = 1


Note = Callable[[Difference], None]
"""Who is told of each difference, as it is found."""


def _unheard(_: Difference) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class _Findings:
    """Counts what is found, and passes it on."""

    verdict: Verdict
    note: Note

    def add(self, difference: Difference) -> None:
        self.verdict.count(difference)
        self.note(difference)


async def _document(reader: ArchiveReader, listed: ListedItem) -> dict[str, Any]:
    """Return an item whole; one that its user deleted is compared all the same."""
    try:
        return await item_document(reader, listed)
    except NotFound:
        return await listed_document(reader, listed)


async def compare(
    expectation: Expectation, reader: ArchiveReader, note: Note = _unheard, files: ContentStore | None = None
) -> Verdict:
    """Compare; memory is bounded by the largest conversation, beside the expectation itself.

    With `files` those that the archive says it has are read, each once, and must be what the recording says.
    """
    verdict = Verdict()
    findings = _Findings(verdict, note)
    digest = hashlib.sha256()
    shared, late = Files(reader, files), Counter[bytes]()
    for names in _chunks(sorted(expectation.histories)):
        owners, conversations = await reader.owners(names), await reader.conversations(names)
        for name in names:
            history = expectation.histories[name]
            if name in conversations and conversations[name].removed:
                _compare_removed(conversations[name], history, verdict, late)
                continue
            wanted = shares(history)
            items = sorted(owners.get(name, ()), key=lambda item: (item.mailbox, item.id))
            seen: set[str] = set()
            for item in items:
                listed = ListedItem(item, conversations[name], None)
                document = await _document(reader, listed)
                digest.update(json.dumps([item.mailbox, document], sort_keys=True).encode())
                if item.mailbox in seen:
                    pairs = max(1, len(document["entries"]))
                    findings.add(Difference("duplicated", item.mailbox, name, pairs=pairs))
                else:
                    _compare_item(item.mailbox, document, wanted.get(item.mailbox), history, findings)
                seen.add(item.mailbox)
            for mailbox, share in wanted.items():
                verdict.expected += len(share.lines)
                if mailbox not in seen:
                    findings.add(Difference("missing", mailbox, name, pairs=max(1, len(share.lines))))
            for kind, sequence in await shared.harmed(name, history):
                findings.add(Difference(kind, "", name, sequence, facts=("file",)))
    await _compare_quarantine(expectation.quarantined + shared.stubs + late, reader, findings)
    verdict.digest = digest.hexdigest()
    return verdict


def _compare_removed(removed: Conversation, history: History, verdict: Verdict, late: Counter[bytes]) -> None:
    """Count what was removed; an event that was not held then came too late, and its record must be in quarantine."""
    verdict.removed += sum(
        holds(removed.held, sequence) for share in shares(history).values() for sequence in share.lines
    )
    late.update(fact.record for sequence, fact in history.facts.items() if not holds(removed.held, sequence))


def _compare_item(
    mailbox: str, document: dict[str, Any], share: Share | None, history: History, findings: _Findings
) -> None:
    name, entries = document["conversation"], document["entries"]
    if share is None:
        findings.add(Difference("leaked", mailbox, name, pairs=max(1, len(entries))))
        return
    facts = zip(FACTS, _facts(document), _expected_facts(share, history), strict=True)
    wrong = tuple(fact for fact, is_, should_be in facts if is_ != should_be)
    if wrong:
        findings.add(Difference("altered", mailbox, name, facts=wrong))
    for one, two in pairwise(entries):
        if two["sequence"] < one["sequence"]:
            findings.add(Difference("misordered", mailbox, name, two["sequence"], found=two))
    seen: set[int] = set()
    for entry in entries:
        sequence = entry["sequence"]
        wanted = share.lines.get(sequence)
        if sequence in seen:
            findings.add(Difference("duplicated", mailbox, name, sequence, found=entry))
        elif wanted is None:
            findings.add(Difference("leaked", mailbox, name, sequence, found=entry))
        elif wanted != entry_line(entry) or _files(entry) != _expected_files(history, sequence):
            findings.add(Difference("altered", mailbox, name, sequence, wanted, entry))
        else:
            findings.verdict.archived += 1
        seen.add(sequence)
    for sequence in sorted(share.lines.keys() - seen):
        findings.add(Difference("missing", mailbox, name, sequence, share.lines[sequence]))


def entry_line(entry: dict[str, Any]) -> Line:
    """Return what stands for an entry of an item's document here."""
    return Line(entry["kind"], entry["at"], entry["sip"], text_hash(entry["text"]), len(entry["text"]))


def _files(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: value for name, value in file.items() if name != "state"} for file in entry.get("attachments", ())]


def _expected_files(history: History, sequence: int) -> list[dict[str, Any]]:
    file = history.facts[sequence].file
    return [] if file is None else [file]


FACTS: Final = ("status", "kind", "started_at", "ended_at", "complete", "gaps")
"""What an item says of itself, beside its entries."""


def _facts(document: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(document[fact] for fact in FACTS)


def _expected_facts(share: Share, history: History) -> tuple[Any, ...]:
    first, end = history.facts.get(1), history.end
    last = end or max(history.facts)
    gaps: list[list[int]] = []
    before = 0
    for number in [*sorted(history.facts), last + 1]:
        if number > before + 1:
            gaps.append([before + 1, number - 1])
        before = number
    return (
        share.status,
        "conference" if history.area == "conference" else "conversation",
        first.at if first else None,
        history.facts[end].at if end else None,
        bool(first and end and not gaps),
        gaps,
    )


async def _compare_quarantine(expected: Counter[bytes], reader: ArchiveReader, findings: _Findings) -> None:
    """A record that cannot be archived must be in quarantine as often as it is in the recording."""
    for marks in _chunks(sorted(expected)):
        found = await reader.quarantined_fingerprints(marks)
        for mark in marks:
            wanted = expected[mark]
            held = min(wanted, found.get(mark, 0))
            findings.verdict.quarantined += held
            if held < wanted:
                findings.add(Difference("missing", "", f"record {mark.hex()[:16]}", pairs=wanted - held))


def _chunks(values: Sequence[Key]) -> Iterator[Sequence[Key]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
