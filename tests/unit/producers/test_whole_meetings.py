"""Whole meetings of the simulator: everything happens, nobody does what they cannot, and polls keep their secret."""

import hashlib
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.people import people_of
from producers.recording_line import to_line
from producers.simulator.casting import Casting
from producers.simulator.files import put_file
from producers.simulator.poll import FEW, Vote, tallies
from producers.simulator.population import populate
from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.catalogue import MODELS, EventType, Stream
from schemas.envelope import Event, canonical, decode
from schemas.events import ContentReference
from schemas.meetings import ConferencePollOpened, Origin
from schemas.record import Record
from tests.builders import reference
from tests.support.meetings import conference, exchanged

TOPICS: Final = Topics()
STREAMS_OF: Final = {TOPICS.conversations: Stream.CONVERSATIONS, TOPICS.conferences: Stream.CONFERENCES}
GOLDEN: Final = "4848f07001034275c02e096fc2b637f6d40dffbc3c235fe6a6663281f1d3f23f"
"""SHA-256 of 150 users' first two hours with seed 5. It changes only when the simulator is meant to."""


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return list(simulate(150, 2, 5, TOPICS, files=True, whole_meetings=True))


@pytest.fixture(scope="module")
def meetings(records: list[Record]) -> list[list[Event]]:
    """The conferences that have ended, each once and in order of sequence."""
    found: dict[str, dict[int, Event]] = {}
    for record in records:
        event = decode(record, STREAMS_OF[record.topic])
        if event.type.startswith("lync.conference."):
            found.setdefault(event.data.conversation, {}).setdefault(event.sequence, event)
    whole = [[held[number] for number in sorted(held)] for held in found.values()]
    return [held for held in whole if held[-1].type == EventType.CONFERENCE_ENDED]


def test_everything_happens(records: list[Record]) -> None:
    """Every type there is but the join that says no origin; the same seed gives the same bytes."""
    kinds = {dict(record.headers)["ce_type"] for record in records}
    assert kinds == {name.encode() for name in MODELS} - {EventType.CONFERENCE_JOINED.encode()}
    assert hashlib.sha256(b"\n".join(map(to_line, records))).hexdigest() == GOLDEN


def test_files_come_only_where_they_are_asked_for() -> None:
    """And each can be made again from what its event says."""
    kinds = {dict(record.headers)["ce_type"] for record in simulate(60, 2, 4, TOPICS, whole_meetings=True)}
    assert not any(b"content" in (kind or b"") or b"whiteboard" in (kind or b"") for kind in kinds)


async def test_every_file_is_what_its_events_say(records: list[Record]) -> None:
    """Uploads, whiteboards and shown files; the last have bytes that an upload had."""
    sink = _Sink()
    referring = [record for record in records if await put_file(record, sink)]
    contents = [decode(record, None).data.content for record in referring]  # type: ignore[attr-defined]
    assert {content.sha256 for content in contents} == sink.digests
    assert len(sink.digests) < len(contents)


class _Sink:
    def __init__(self) -> None:
        self.digests: set[str] = set()

    async def put(
        self, source: Path | BinaryIO, name: str, media_type: str, content_id: str | None = None
    ) -> ContentReference:
        content = reference(_all_of(source), name, media_type=media_type, id=content_id)
        self.digests.add(content.sha256)
        return content


def _all_of(source: Path | BinaryIO) -> bytes:
    assert isinstance(source, BytesIO)
    return source.read()


def test_nobody_does_what_they_cannot(meetings: list[list[Event]]) -> None:
    """Who acts is there and who presents does what presenters do; who waits is not there yet; time goes on."""
    for held in meetings:
        present: set[str] = set()
        waiting: set[str] = set()
        for before, event in pairwise(held):
            assert before.moment <= event.moment
        for event in held:
            _play(event, present, waiting)


def _play(event: Event, present: set[str], waiting: set[str]) -> None:
    data: Any = event.data
    match event.type.rsplit(".", 2)[1]:
        case "joined":
            assert data.participant.sip not in present | waiting
            present.add(data.participant.sip)
        case "left":
            present.remove(data.sip)
        case "ejected":
            assert data.by in present
            present.remove(data.sip)
        case "lobby-entered":
            assert data.participant.sip not in present | waiting
            waiting.add(data.participant.sip)
        case "lobby-admitted" | "lobby-denied":
            assert data.by in present
            waiting.remove(data.sip)
        case "role-changed":
            assert data.by in present
        case "delivery-failed":
            assert data.sip not in data.recipients
        case "activated" | "ended" | "poll-tallied" | "sharing-stopped":
            pass
        case _:
            assert data.sip in present


def test_guests_come_from_everywhere(meetings: list[list[Event]]) -> None:
    """Federated, anonymous and by telephone, some of whom write; none from outside has an address of ours."""
    joins: list[Any] = [event.data for held in meetings for event in held if event.type.endswith(".joined.v2")]
    assert {data.origin for data in joins} == set(Origin)
    outside = {data.participant.sip for data in joins if data.origin is not Origin.INTERNAL}
    assert not any(sip.endswith("@contoso.example") for sip in outside)
    said: list[Any] = [
        event.data for held in meetings for event in held if event.type.endswith("conference.message.v1")
    ]
    assert outside & {data.sip for data in said}


def test_failures_name_messages_that_others_wrote(meetings: list[list[Event]]) -> None:
    """A delivery failure comes after the message that it names, and is its writer's."""
    found = 0
    for held in meetings:
        for event in held:
            if event.type == EventType.CONFERENCE_DELIVERY_FAILED:
                message: Any = held[event.data.message - 1]  # type: ignore[attr-defined]
                assert message.type == EventType.CONFERENCE_MESSAGE
                assert message.data.sip == event.data.sip  # type: ignore[attr-defined]
                assert message.sequence < event.sequence
                found += 1
    assert found


def test_instances_of_a_whole_series_are_told_apart() -> None:
    """A recurring meeting keeps its URI and its people, and each occurrence has an instance and guests of its own."""
    cast = Casting(populate(30, 3), 3, whole=True)
    found: dict[str, set[str]] = {}
    for number in range(40):
        opening: Any = next(cast.scheduled(0, number)).data
        found.setdefault(opening.conference_uri, set()).add(opening.instance)
    recurring = {uri: some for uri, some in found.items() if some != {""}}
    assert max(map(len, recurring.values())) > 1
    assert sum(map(len, recurring.values())) == len(set().union(*recurring.values()))


def test_large_meetings_are_whole() -> None:
    """250 people, and 1,000 where there are as many, with guests beside."""
    joined: dict[bytes | None, set[str]] = {}
    for record in simulate(1_200, 2, 2, TOPICS, whole_meetings=True):
        if dict(record.headers)["ce_type"] == EventType.CONFERENCE_JOINED_V2.encode():
            joined.setdefault(record.key, set()).update(people_of(record) or ())
    largest = sorted(map(len, joined.values()))[-2:]
    assert 250 <= largest[0] < 400
    assert 1_000 <= largest[1] < 1_300


def chosen(votes: list[Vote]) -> dict[str, int]:
    return {found.voter: found.choice for found in votes}


def test_who_voted_for_what_changes_nothing() -> None:
    """With all votes exchanged among their voters every step is the same, to the byte, and so is every id.

    Planted bug: a tally that gives the first voter's id to its event.
    """
    seen: list[list[Vote]] = []
    kept = conference(lambda votes: seen.append(votes) or votes)  # type: ignore[func-returns-value]
    other = conference(exchanged)
    assert sum(map(len, seen)) > 250
    assert chosen(seen[0]) != chosen(exchanged(seen[0]))
    assert [(step, canonical(step.data)) for step in kept] == [(step, canonical(step.data)) for step in other]


def test_no_event_of_a_poll_names_a_voter() -> None:
    """Of people, a poll's events name who asked, closed or showed it alone; counts are no more than votes."""
    for step in conference():
        if "Poll" in type(step.data).__name__:
            facts = step.data.model_dump(mode="json")
            assert facts.keys() <= {"conversation", "sip", "poll", "question", "choices", "tally", "audience"}
            if not isinstance(step.data, ConferencePollOpened):
                assert {"question", "choices"}.isdisjoint(facts)


votes = st.lists(
    st.builds(Vote, st.integers(0, 900), st.text("abcdef", min_size=1, max_size=3), st.integers(0, 2)), max_size=40
)


@settings(deadline=None)
@given(votes, st.integers(1, 900), st.randoms(use_true_random=False))
def test_no_report_is_about_a_few(found: list[Vote], interval: int, dice: Random) -> None:
    """Every report adds `FEW` votes at least, the last is the whole, and voters do not matter.

    Planted bugs: counting all that came so far; reporting fewer than `FEW`; slips in order of voters.
    """
    reports = list(tallies(found, 3, range(interval, 901, interval)))
    totals = [0, *(sum(tally) for _, tally in reports)]
    assert all(two - one >= FEW for one, two in pairwise(totals))
    assert totals[-1] == (len(found) if len(found) >= FEW else 0)
    assert [at_ms for at_ms, _ in reports] == sorted(at_ms for at_ms, _ in reports)
    voters = [one.voter for one in found]
    dice.shuffle(voters)
    others = [one._replace(voter=voter) for one, voter in zip(found, voters, strict=True)]
    assert list(tallies(reversed(others), 3, range(interval, 901, interval))) == reports
