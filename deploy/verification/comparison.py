"""The comparison: every item of a recording's conversations against what the recording says, entry by entry."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice, pairwise
from typing import Any, TypeVar

from consumers.reading import ArchiveReader, ListedItem
from deploy.export import item_document
from deploy.verification.audience import Share, shares
from deploy.verification.model import Expectation, History, Line, text_hash

Key = TypeVar("Key", str, bytes)

CHUNK = 200
"""Conversations looked at in one query."""


@dataclass(slots=True)
class Verdict:
    """Counts of (mailbox, entry) pairs; `quarantined` counts records. `digest` is SHA-256 over the items, in hex."""

    expected: int = 0
    archived: int = 0
    missing: int = 0
    duplicated: int = 0
    misordered: int = 0
    altered: int = 0
    leaked: int = 0
    quarantined: int = 0
    digest: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.duplicated or self.misordered or self.altered or self.leaked)

    def document(self) -> dict[str, Any]:
        """Return the counts by name."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


async def compare(expectation: Expectation, reader: ArchiveReader) -> Verdict:
    """Compare; memory is bounded by the largest conversation, beside the expectation itself."""
    verdict = Verdict()
    digest = hashlib.sha256()
    for names in _chunks(sorted(expectation.histories)):
        owners = await reader.owners(names)
        conversations = await reader.conversations(names)
        for name in names:
            history = expectation.histories[name]
            wanted = shares(history)
            items = sorted(owners.get(name, ()), key=lambda item: (item.mailbox, item.id))
            seen: set[str] = set()
            for item in items:
                listed = ListedItem(item, conversations[name], None)
                document = await item_document(reader, listed)
                digest.update(json.dumps([item.mailbox, document], sort_keys=True).encode())
                if item.mailbox in seen:
                    verdict.duplicated += max(1, len(document["entries"]))
                else:
                    _compare_item(document, wanted.get(item.mailbox), history, verdict)
                seen.add(item.mailbox)
            for mailbox, share in wanted.items():
                verdict.expected += len(share.lines)
                if mailbox not in seen:
                    verdict.missing += max(1, len(share.lines))
    await _compare_quarantine(expectation, reader, verdict)
    verdict.digest = digest.hexdigest()
    return verdict


def _compare_item(document: dict[str, Any], share: Share | None, history: History, verdict: Verdict) -> None:
    entries = document["entries"]
    if share is None:
        verdict.leaked += max(1, len(entries))
        return
    if _facts(document) != _expected_facts(share, history):
        verdict.altered += 1
    verdict.misordered += sum(1 for one, two in pairwise(entries) if two["sequence"] < one["sequence"])
    seen: set[int] = set()
    for entry in entries:
        sequence = entry["sequence"]
        wanted = share.lines.get(sequence)
        if sequence in seen:
            verdict.duplicated += 1
        elif wanted is None:
            verdict.leaked += 1
        elif wanted != Line(entry["kind"], entry["at"], entry["sip"], text_hash(entry["text"])):
            verdict.altered += 1
        else:
            verdict.archived += 1
        seen.add(sequence)
    verdict.missing += len(share.lines.keys() - seen)


def _facts(document: dict[str, Any]) -> tuple[Any, ...]:
    return (
        document["status"],
        document["kind"],
        document["started_at"],
        document["ended_at"],
        document["complete"],
        document["gaps"],
    )


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


async def _compare_quarantine(expectation: Expectation, reader: ArchiveReader, verdict: Verdict) -> None:
    """A record that cannot be archived must be in quarantine as often as it is in the recording."""
    for marks in _chunks(sorted(expectation.quarantined)):
        found = await reader.quarantined_fingerprints(marks)
        for mark in marks:
            wanted = expectation.quarantined[mark]
            verdict.quarantined += min(wanted, found.get(mark, 0))
            verdict.missing += max(0, wanted - found.get(mark, 0))


def _chunks(values: Sequence[Key]) -> Iterator[Sequence[Key]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
