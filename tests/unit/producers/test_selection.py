"""Cutting and merging recordings: what is taken, in which order, and that lines stay as they are."""

import heapq
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.__main__ import run
from producers.merging import merged
from producers.recording import Recording
from producers.selection import Selection, first_ms
from schemas.record import Record
from tests import builders as b
from tests.unit.producers.record_strategy import RECORDS

TALK = b.history(b.started(), b.message(), b.message(b.BOB), b.ended())
MEETING = b.history(b.activated(organizer=b.CAROL), b.entered(b.ALICE), b.said(b.ALICE), b.departed(b.ALICE))
CALL = b.history(b.called(b.BOB, invited=[b.DAVE]), b.call_missed(b.DAVE), b.call_ended())
ODD = b.broken()
ALL = [*TALK, *MEETING, *CALL, ODD]
KCAT = b'{"topic":"t","partition":0,"offset":3,"tstype":"create","ts":5,"broker":1,"key":"c1","payload":"x"}'


def taken(chosen: Selection) -> list[Record]:
    return [record for record in ALL if chosen.takes(record)]


def program(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["lync-archiver", *map(str, arguments)])
    return run()


def test_without_conditions_everything_is_taken() -> None:
    """So it is with records that carry no event."""
    assert taken(Selection()) == ALL


def test_conversations_are_taken_by_key() -> None:
    """A record that cannot be decoded belongs where its key says."""
    assert taken(Selection(conversations=frozenset({b"c1"}))) == [*TALK, ODD]
    assert taken(Selection(conversations=frozenset({b"m1", b"v1"}))) == [*MEETING, *CALL]
    assert taken(Selection(conversations=frozenset({b"c"}))) == []


def test_users_are_taken_by_the_events_that_name_them() -> None:
    """As participants, invited, organizers or authors; nothing that cannot be decoded names anybody."""
    assert taken(Selection(users=frozenset({b.DAVE.sip}))) == CALL[:2]
    assert taken(Selection(users=frozenset({b.CAROL.sip}))) == MEETING[:1]
    assert taken(Selection(users=frozenset({b.BOB.sip}))) == [TALK[0], TALK[2], CALL[0]]
    both = Selection(users=frozenset({b.BOB.sip}), conversations=frozenset({b"c1"}))
    assert taken(both) == [TALK[0], TALK[2]]


def test_times_include_their_beginning_and_not_their_end() -> None:
    """`since` is part of it and `until` is not; a record without a time is not in any span."""
    stamp_ms = TALK[1].timestamp_ms
    chosen = Selection(since_ms=stamp_ms, until_ms=stamp_ms + 1)
    assert {record.timestamp_ms for record in taken(chosen)} == {stamp_ms}
    timeless = TALK[0]._replace(timestamp_ms=-1)
    assert not Selection(since_ms=0).takes(timeless)
    assert not Selection(until_ms=9).takes(timeless)
    assert first_ms(datetime(1970, 1, 1, 0, 0, 0, 1, UTC)) == 1
    assert first_ms(datetime(1970, 1, 1, tzinfo=UTC)) == 0


def test_cut_copies_lines_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Fields that are not ours stay where kcat put them."""
    source, out = tmp_path / "kcat.jsonl", tmp_path / "cut.jsonl"
    source.write_bytes(KCAT + b"\n" + KCAT.replace(b"c1", b"c2"))
    assert program(monkeypatch, "recording", "cut", source, out, "--conversation", "c1", "--json") == 0
    assert out.read_bytes() == KCAT + b"\n"
    assert json.loads(capsysbinary.readouterr().out) == {"records": 1}


def test_wrong_usage_of_cut_and_merge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A time that is none, and a file that would be read and written, are refused before anything is written."""
    source = tmp_path / "r"
    source.write_bytes(KCAT)
    assert program(monkeypatch, "recording", "cut", source, tmp_path / "out", "--since", "yesterday") == 2
    assert program(monkeypatch, "recording", "cut", source, source) == 2
    assert program(monkeypatch, "recording", "merge", source, source) == 2
    assert source.read_bytes() == KCAT
    assert not (tmp_path / "out").exists()
    assert len(capsys.readouterr().err.splitlines()) == 3


@settings(deadline=None, max_examples=50)
@given(files=st.lists(st.lists(RECORDS, max_size=6), min_size=1, max_size=4))
def test_a_merge_keeps_each_files_order(files: list[list[Record]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every record is there once, each file's in its order, and sorted files give a sorted whole.

    Planted bug: sorting all of them by time.
    """
    folder = tmp_path_factory.mktemp("merge")
    recordings = [Recording(folder / str(number)) for number in range(len(files))]
    marked = [
        [record._replace(topic=f"t{number}", offset=place) for place, record in enumerate(records)]
        for number, records in enumerate(files)
    ]
    for recording, records in zip(recordings, marked, strict=True):
        recording.write(records)
    whole = [found.record for found in merged(recordings)]
    assert [[record for record in whole if record.topic == f"t{number}"] for number in range(len(files))] == marked
    if all(records == sorted(records, key=lambda found: found.timestamp_ms) for records in marked):
        assert whole == list(heapq.merge(*marked, key=lambda found: found.timestamp_ms))
        assert whole == sorted(whole, key=lambda found: found.timestamp_ms)
