"""The simulated organisation: repeatable, legal, in many scripts, and after the user model."""

import hashlib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

import pytest

from producers.recording_line import to_line
from producers.simulator.population import populate
from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.catalogue import Stream
from schemas.envelope import Event, decode
from schemas.events import Role
from schemas.record import Record

TOPICS: Final = Topics()
STREAMS: Final = {TOPICS.conversations: Stream.CONVERSATIONS, TOPICS.conferences: Stream.CONFERENCES}
SCRIPTS: Final = {
    "LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "THAI", "CJK", "HIRAGANA", "KATAKANA", "HANGUL",
}  # fmt: skip
GOLDEN: Final = "b06ba241ee772a51329dbd131be49b576ddae011ad2dc8c3de58e68befee9ecb"
"""SHA-256 of 50 users' first half hour with seed 7. It changes only when the simulator is meant to."""


def digest(records: Iterable[Record]) -> str:
    return hashlib.sha256(b"\n".join(map(to_line, records))).hexdigest()


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return list(simulate(300, 4, 1, TOPICS))


@pytest.fixture(scope="module")
def events(records: list[Record]) -> list[Event]:
    return [decode(record, STREAMS[record.topic]) for record in records]


def of_kind(events: Iterable[Event], kind: str) -> Iterator[Any]:
    return (event.data for event in events if event.type == f"lync.{kind}.v1")


def by_conversation(events: Iterable[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        found[event.data.conversation].append(event)
    return found


def test_the_same_seed_gives_the_same_bytes() -> None:
    """On every machine and in every run, and another seed gives others."""
    assert digest(simulate(50, 0.5, 7, TOPICS)) == GOLDEN
    assert digest(simulate(50, 0.5, 8, TOPICS)) != GOLDEN


def test_a_shorter_simulation_is_the_beginning_of_a_longer_one() -> None:
    """The end only cuts, apart from the large meeting, whose start depends on it."""
    short = list(simulate(50, 4.5, 1, TOPICS))
    assert list(islice(simulate(50, 6, 1, TOPICS), len(short))) == short


def test_every_record_decodes_and_time_never_goes_back(records: list[Record], events: list[Event]) -> None:
    """The stream is ordered by time, within the hours asked for."""
    assert len(events) == len(records)
    stamps = [record.timestamp_ms for record in records]
    assert stamps == sorted(stamps)
    assert all("2013-03-04T08" <= event.at < "2013-03-04T12" for event in events)


def test_sequences_have_no_holes_and_repeat_only_for_a_second_endpoint(events: list[Event]) -> None:
    """Each counts from 1; a second report differs in its source alone; about one message in 50 has one."""
    echoes = 0
    for conversation in by_conversation(events).values():
        held: dict[int, Event] = {}
        for event in conversation:
            first = held.setdefault(event.sequence, event)
            if first is not event:
                echoes += 1
                assert first.source != event.source
                assert first._replace(source=event.source) == event
        assert list(held) == list(range(1, len(held) + 1))
        assert not any(event.type.endswith(".ended.v1") for event in list(held.values())[:-1])
    messages = sum(event.type.endswith(".message.v1") for event in events)
    assert 0.01 < echoes / messages < 0.03


def test_event_ids_are_unique(events: list[Event]) -> None:
    """Nothing but a second report has the same id."""
    assert len({event.id for event in events}) == len({(event.data.conversation, event.sequence) for event in events})


def test_nobody_writes_who_is_not_there(events: list[Event]) -> None:
    """Whoever writes is present, and whoever leaves was."""
    for conversation in by_conversation(events).values():
        present: set[str] = set()
        for event in conversation:
            data: Any = event.data
            match event.type.rsplit(".", 2)[1]:
                case "started":
                    present = {person.sip for person in data.participants}
                case "joined" | "participant-joined":
                    assert data.participant.sip not in present
                    present.add(data.participant.sip)
                case "left" | "participant-left":
                    present.remove(data.sip)
                case "message" | "topic":
                    assert data.sip in present


def test_people_write_in_many_scripts(events: list[Event]) -> None:
    """Text and names are in all scripts, and what breaks naive archives is there: U+2028, joiners, nothing, a page."""
    texts = [data.text for data in of_kind(events, "conversation.message")]
    names = [data.participant.name for data in of_kind(events, "conference.joined")]
    for written in (texts, names):
        letters = set("".join(written))
        found = {unicodedata.name(letter, "").split(" ")[0] for letter in letters if letter.isalpha()}
        assert found >= SCRIPTS - ({"HIRAGANA"} if written is names else set())
    assert any("\u2028" in text for text in texts)
    assert any("\u200d" in text for text in texts)
    assert any(unicodedata.combining(letter) for text in texts for letter in text)
    assert "" in texts
    assert max(map(len, texts)) > 4000


def test_the_volume_is_that_of_the_user_model(events: list[Event]) -> None:
    """Sessions a user begins, messages in each, and calls, of the first half of a day with its busy hours."""
    first_half = 0.5 + 0.5 * (240 - 96) / (480 - 96)
    sessions = sum(1 for _ in of_kind(events, "conversation.started"))
    assert sessions == pytest.approx(300 * 6 * first_half, rel=0.05)
    assert sum(1 for _ in of_kind(events, "call.started")) == pytest.approx(300 * first_half, rel=0.1)
    complete = [held for held in by_conversation(events).values() if held[-1].type == "lync.conversation.ended.v1"]
    plain = [held for held in complete if not any("participant" in event.type for event in held)]
    counts = [len({event.sequence for event in of_messages(held)}) for held in plain]
    answered = [count for count in counts if count > 1]
    assert sum(answered) / len(answered) == pytest.approx(10.5, rel=0.05)


def of_messages(held: list[Event]) -> list[Event]:
    return [event for event in held if event.type.endswith(".message.v1")]


def test_meetings_are_those_of_the_user_model() -> None:
    """Sizes are 4, 6 and 11, and one meeting is for 250; most have no messages; everybody comes in five minutes."""
    found = by_conversation(decode(record, STREAMS[record.topic]) for record in simulate(2000, 2, 3, TOPICS))
    sizes: Counter[int] = Counter()
    silent = 0
    for held in found.values():
        if held[0].type != "lync.conference.activated.v1" or not held[-1].type.endswith(".ended.v1"):
            continue
        if held[0].data.escalated_from is None:  # type: ignore[attr-defined]
            sizes[len({data.participant.sip for data in of_kind(held, "conference.joined")})] += 1
            silent += not of_messages(held)
        firsts: dict[str, Event] = {}
        for event in held:
            if event.type == "lync.conference.joined.v1":
                firsts.setdefault(event.data.participant.sip, event)  # type: ignore[attr-defined]
        assert all((event.moment - held[0].moment).total_seconds() <= 301 for event in firsts.values())
    assert set(sizes) == {4, 6, 11, 250}
    assert sizes[250] == 1
    assert sizes[4] / sizes.total() == pytest.approx(0.85, abs=0.15)
    assert 0.35 < silent / sizes.total() < 0.7


def test_everything_that_can_happen_happens(events: list[Event]) -> None:
    """Missed, declined, late, interrupted, grown and recurring, with presenters and topics."""
    activated = list(of_kind(events, "conference.activated"))
    assert any(data.escalated_from for data in activated)
    instances: dict[str, set[str]] = defaultdict(set)
    for data in activated:
        instances[data.conference_uri].add(data.instance)
    assert max(len(found) for uri, found in instances.items() if uri) > 1
    assert {data.participant.role for data in of_kind(events, "conference.joined")} == set(Role)
    kinds = Counter(event.type for event in events)
    assert len(kinds) == 15
    ended = {data.conversation: data.reason for data in of_kind(events, "conversation.ended")}
    assert {data.escalated_from for data in activated if data.escalated_from} <= {
        conversation for conversation, reason in ended.items() if reason == "escalated"
    }
    threads = {data.conversation: data.thread for data in of_kind(events, "conversation.started")}
    assert all(data.thread == threads[data.escalated_from] for data in activated if data.escalated_from)


def test_addresses_are_unique_and_plain() -> None:
    """Namesakes have addresses of their own, in lower-case ASCII."""
    people = populate(5000, 1)
    assert len({person.sip for person in people}) == 5000
    assert all(person.sip.isascii() and person.sip == person.sip.lower() for person in people)
    assert sum(len(person.endpoints) for person in people) / 5000 == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize("users", [2, 3, 5, 12])
def test_small_organisations_work(users: int) -> None:
    """Nobody talks alone or meets twice in one meeting, however few there are."""
    for record in simulate(users, 8, 1, TOPICS):
        decode(record, STREAMS[record.topic])


@pytest.mark.parametrize(("users", "hours"), [(1, 1.0), (2, 0.0)])
def test_impossible_organisations_are_refused(users: int, hours: float) -> None:
    """One user has nobody to talk to."""
    with pytest.raises(ValueError, match="two users and some time"):
        next(simulate(users, hours, 1, TOPICS))
