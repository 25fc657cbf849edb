"""The comparison: every fact, item and quarantined record that must be there, against the documents that are."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tests.checker.archive import Archive
from tests.checker.audience import is_for, is_message, readers
from tests.checker.model import NO_FILES, Expected, History
from tests.checker.reading import Fact, filled

Document = dict[str, Any]


@dataclass(slots=True)
class Findings:
    """How much is wrong, by kind, and a line for each finding; lines name places, never what somebody said."""

    lost: int = 0
    duplicated: int = 0
    misordered: int = 0
    altered: int = 0
    leaked: int = 0
    invented: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.lines

    def add(self, kind: str, line: str, count: int = 1) -> None:
        """Count a finding of this kind; none at all where the count is 0."""
        if count:
            setattr(self, kind, getattr(self, kind) + count)
            self.lines.append(f"{kind}: {line}")


def compare(expected: Expected, archive: Archive, files: Mapping[str, int] = NO_FILES) -> Findings:
    """Compare everything; the order of the findings is that of the conversations' names.

    `files` are those in the content store: sizes by digest.
    """
    findings = Findings()
    segments: dict[str, list[Document]] = {}
    for segment in archive.segments:
        segments.setdefault(segment["_id"]["conversation"], []).append(segment)
    documents = {document["_id"]: document for document in archive.conversations}
    items: dict[str, list[Document]] = {}
    for item in archive.items:
        items.setdefault(item["conversation"], []).append(item)
    for name in sorted(expected.histories.keys() | segments.keys() | documents.keys() | items.keys()):
        history = expected.histories.get(name)
        if history is None:
            findings.add("invented", f"conversation {name}")
            continue
        held = _compare_facts(name, history, segments.get(name, []), findings)
        _compare_state(name, history, documents.get(name), segments.get(name, []), findings)
        _compare_items(name, history, held, items.get(name, []), findings)
    _compare_files(expected, archive, files, findings)
    _compare_quarantine(expected, archive, findings)
    _compare_lanes(expected, archive, findings)
    return findings


def _compare_facts(name: str, history: History, segments: list[Document], findings: Findings) -> set[int]:
    """Every fact must be there once, in order, as one of its reports; return the sequences that are there."""
    held: set[int] = set()
    before = 0
    for fact in _stored(name, segments):
        place = f"{name} {fact.sequence}"
        if fact.sequence in held:
            findings.add("duplicated", place)
        elif fact.sequence not in history.reports:
            findings.add("invented", place)
        elif fact not in history.reports[fact.sequence]:
            findings.add("altered", place)
        if fact.sequence < before:
            findings.add("misordered", place)
        before = max(before, fact.sequence)
        held.add(fact.sequence)
    for sequence in sorted(history.reports.keys() - held):
        findings.add("lost", f"{name} {sequence}")
    return held


def _stored(name: str, segments: list[Document]) -> Iterator[Fact]:
    for segment in sorted(segments, key=lambda segment: int(segment["_id"]["first"])):
        for line in segment["events"].split("\n")[:-1]:
            event = json.loads(line)
            data = event["data"]
            found = data.pop("conversation")
            kept = filled(event["type"], data)
            yield Fact(found, event["sequence"], event["id"], event["type"], event["at"], event["source"], kept)


def _compare_state(
    name: str, history: History, document: Document | None, segments: list[Document], findings: Findings
) -> None:
    """What is kept of a conversation must say the same as its facts, and its segments must be chained."""
    if document is None:
        findings.add("lost", f"{name}: its state")
        return
    ranges = {number for first, last in document["held"] for number in range(first, last + 1)}
    messages = [number for number, facts in history.reports.items() if facts[0].type.endswith(".message.v1")]
    end = history.end
    wanted = (set(history.reports), history.area, len(messages), min(messages, default=None), end)
    found_end = document["ending"] and document["ending"]["sequence"]
    found = (ranges, document["kind"], document["messages"], document["first_message"], found_end)
    if found != wanted:
        findings.add("altered", f"{name}: its state does not fit its events")
    head = bytes(32)
    for segment in sorted(segments, key=lambda segment: int(segment["ordinal"])):
        digest = sha256(head + segment["events"].encode()).digest()
        if bytes(segment["previous"]) != head or bytes(segment["hash"]) != digest:
            findings.add("altered", f"{name}: its chain breaks at segment {segment['ordinal']}")
            return
        head = digest
    if head != bytes(document["head"]) or document["segments"] != len(segments):
        findings.add("altered", f"{name}: its chain does not end where its state says")


def _compare_items(name: str, history: History, held: set[int], items: list[Document], findings: Findings) -> None:
    """Each reader must have one item that shows what they may see, and nobody else any."""
    wanted = readers(history.reports)
    owners = Counter(item["mailbox"] for item in items)
    for mailbox in sorted(wanted.keys() - owners.keys()):
        findings.add("lost", f"{mailbox}: {name}", max(1, len(wanted[mailbox][1])))
    opening = history.reports.get(1)
    for item in items:
        mailbox = item["mailbox"]
        if mailbox not in wanted:
            findings.add("leaked", f"{mailbox}: {name}")
            continue
        if owners[mailbox] > 1:
            findings.add("duplicated", f"{mailbox}: {name}")
        status, visible = wanted[mailbox]
        sees = {number for number in held if number in history.reports and _shows(item, history, number)}
        findings.add("leaked", f"{mailbox}: {name} {sorted(sees - visible)}", len(sees - visible))
        hidden = (visible & held) - sees
        findings.add("lost", f"{mailbox}: {name} {sorted(hidden)}", len(hidden))
        starts = {fact.at for fact in opening} if opening else {None}
        folder = "webconferencinghistory" if history.area == "conference" else "conversationhistory"
        if item["status"] != status or item["folder"] != folder or item["started_at"] not in starts:
            findings.add("altered", f"{mailbox}: {name}: what the item says of itself")


def _shows(item: Document, history: History, sequence: int) -> bool:
    """Whether the item shows an event to its owner, by what is stored with it."""
    fact = history.reports[sequence][0]
    if not _within(sequence, item["visible"]):
        return False
    if is_message(history.reports, sequence) and sequence in item["undelivered"]:
        return False
    return is_for(fact, item["mailbox"], presents=_within(sequence, item["presented"]))


def _within(sequence: int, ranges: list[list[int | None]]) -> bool:
    return any((first or 0) <= sequence and (last is None or sequence <= last) for first, last in ranges)


def _compare_files(expected: Expected, archive: Archive, files: Mapping[str, int], findings: Findings) -> None:
    """What is kept of an event's file must be what the event says, and whether its bytes are there."""
    attachments = {(one["_id"]["conversation"], one["_id"]["sequence"]): one for one in archive.attachments}
    for name, history in sorted(expected.histories.items()):
        for sequence, facts in sorted(history.reports.items()):
            file = facts[0].file
            found = attachments.pop((name, sequence), None)
            if file is None and found is not None:
                findings.add("invented", f"{name} {sequence}: a file")
            elif file is not None and found is None:
                findings.add("lost", f"{name} {sequence}: its file")
            elif file is not None and found is not None:
                stored = files.get(file["sha256"]) == file["size"]
                said = (found["sha256"], found["size"], found["state"] == "stored")
                if said != (file["sha256"], file["size"], stored):
                    findings.add("altered", f"{name} {sequence}: its file")
    for name, sequence in sorted(attachments):
        findings.add("invented", f"{name} {sequence}: a file")


def _compare_quarantine(expected: Expected, archive: Archive, findings: Findings) -> None:
    found = {(entry["topic"], entry["partition"], entry["offset"]): entry for entry in archive.quarantine}
    for place in sorted(expected.quarantined.keys() - found.keys()):
        findings.add("lost", f"quarantine {place}")
    for place, entry in sorted(found.items()):
        record = expected.quarantined.get(place)
        if record is None:
            findings.add("invented", f"quarantine {place}: {entry['cause']}")
        elif (entry["key"], entry["value"]) != (record.key, record.value):
            findings.add("altered", f"quarantine {place}")


def _compare_lanes(expected: Expected, archive: Archive, findings: Findings) -> None:
    """in = archived + duplicate + quarantined, and every lane has come to its end."""
    checkpoints = {document["_id"]: document for document in archive.checkpoints}
    for (topic, partition), (count, end) in sorted(expected.lanes.items()):
        name = f"{topic}/{partition}"
        found = checkpoints.get(name)
        if found is None or found["next"] < end:
            findings.add("lost", f"{name}: the lane has not come to its end")
        elif found["archived"] + found["duplicate"] + found["quarantined"] != count:
            findings.add("lost", f"{name}: its counts are not the number of its records")
        elif found["quarantined"] != sum(place[:2] == (topic, partition) for place in expected.quarantined):
            findings.add("lost", f"{name}: its count of quarantined records")
