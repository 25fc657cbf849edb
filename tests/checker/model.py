"""What must have become of records: each conversation's facts, who may read which of them, and what is quarantined.

The plainest way there is: a dictionary of facts by sequence. Who may read them is in `audience`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from schemas.record import Record
from tests.checker.audience import Reports
from tests.checker.reading import Fact, read

NO_FILES: Final[Mapping[str, int]] = MappingProxyType({})

Place = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass(slots=True)
class History:
    """One conversation: for each sequence every report of it that may be the one kept, the likeliest first."""

    area: str
    reports: Reports = field(default_factory=dict)

    @property
    def end(self) -> int | None:
        """The sequence of the last event, where it is known."""
        return next((number for number, found in self.reports.items() if found[0].ends), None)


@dataclass(slots=True)
class Expected:
    """All histories, the records that must be in quarantine, and how many records each lane has."""

    histories: dict[str, History] = field(default_factory=dict)
    quarantined: dict[Place, Record] = field(default_factory=dict)
    lanes: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """By topic and partition: the number of records, and the offset after the last."""

    def reports(self, conversation: str) -> Reports:
        """Return what was reported of a conversation, by sequence; nothing of one that is not known."""
        known = self.histories.get(conversation)
        return {} if known is None else known.reports


def expect(records: Iterable[Record], files: Mapping[str, int] = NO_FILES) -> Expected:
    """Read records as they are in Kafka; within a partition in order of offset.

    A conversation whose history is illegal must be in one partition only: what came first stays. An event whose file
    is not among `files`, sizes by digest, is kept, and its record is in quarantine too.
    """
    expected = Expected()
    partitions: dict[tuple[str, int], set[int]] = {}
    for record in records:
        lane = record.topic, record.partition
        count, _ = expected.lanes.get(lane, (0, 0))
        expected.lanes[lane] = count + 1, record.offset + 1
        fact = read(record.key, record.headers, record.value)
        known = fact is not None and fact.sequence in expected.reports(fact.conversation)
        taken = fact is not None and _taken(expected, fact, partitions, record.partition)
        if fact is None or not taken or not (known or _has_its_file(fact, files)):
            expected.quarantined[record.topic, record.partition, record.offset] = record
    return expected


def _has_its_file(fact: Fact, files: Mapping[str, int]) -> bool:
    return fact.file is None or files.get(fact.file["sha256"]) == fact.file["size"]


def _taken(expected: Expected, fact: Fact, partitions: dict[tuple[str, int], set[int]], partition: int) -> bool:
    """Keep the fact as a report of its place; False where it contradicts what came before."""
    history = expected.histories.get(fact.conversation) or History(fact.area)
    reports = history.reports.get(fact.sequence, [])
    if reports:
        if reports[0].content() != fact.content():
            return False
    elif not _fits(history, fact):
        return False
    seen = partitions.setdefault((fact.conversation, fact.sequence), set())
    if partition not in seen:  # of one partition the first report is the one kept; between two nobody can tell
        history.reports[fact.sequence] = [*reports, fact]
        seen.add(partition)
    expected.histories[fact.conversation] = history
    return True


def _fits(history: History, fact: Fact) -> bool:
    if not history.reports:
        return True
    if fact.area != history.area or (history.end is not None and fact.sequence > history.end):
        return False
    return not (fact.ends and (history.end is not None or fact.sequence < max(history.reports)))
