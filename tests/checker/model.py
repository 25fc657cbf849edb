"""What must have become of records: each conversation's facts, who may read which of them, and what is quarantined.

The plainest way there is: a dictionary of facts by sequence, and a walk with the set of people who are present.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.record import Record
from tests.checker.reading import Fact, read

Place = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass(slots=True)
class History:
    """One conversation: for each sequence every report of it that may be the one kept, the likeliest first."""

    area: str
    reports: dict[int, list[Fact]] = field(default_factory=dict)

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


def expect(records: Iterable[Record]) -> Expected:
    """Read records as they are in Kafka; within a partition in order of offset.

    A conversation whose history is illegal must be in one partition only: what came first stays.
    """
    expected = Expected()
    partitions: dict[tuple[str, int], set[int]] = {}
    for record in records:
        lane = record.topic, record.partition
        count, _ = expected.lanes.get(lane, (0, 0))
        expected.lanes[lane] = count + 1, record.offset + 1
        fact = read(record.key, record.headers, record.value)
        if fact is None or not _taken(expected, fact, partitions, record.partition):
            expected.quarantined[record.topic, record.partition, record.offset] = record
    return expected


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


def readers(history: History) -> dict[str, tuple[str, set[int]]]:
    """Return for each person who has an item its status, and the sequences of all events that they may see."""
    found: dict[str, tuple[str, set[int]]] = {}
    present: set[str] = set()
    for sequence in sorted(history.reports):
        fact = history.reports[sequence][0]
        came, went = _moves(fact)
        present |= came
        for person in came:
            found.setdefault(person, ("archived", set()))
        for person in present:
            found[person][1].add(sequence)
        present -= went
    messages = [number for number, facts in history.reports.items() if facts[0].type == "lync.conversation.message.v1"]
    for facts in history.reports.values():
        if facts[0].type in {"lync.conversation.missed.v1", "lync.call.missed.v1"}:
            found.setdefault(facts[0].data["participant"]["sip"], ("missed", set(sorted(messages)[:1])))
    return found


def _moves(fact: Fact) -> tuple[set[str], set[str]]:
    match fact.type.split(".")[2]:
        case "started":
            return {person["sip"] for person in fact.data["participants"]}, set()
        case "joined" | "participant-joined":
            return {fact.data["participant"]["sip"]}, set()
        case "left" | "participant-left":
            return set(), {fact.data["sip"]}
        case _:
            return set(), set()
