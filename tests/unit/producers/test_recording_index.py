"""An index changes how much is read, and nothing of what is found."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.recording import Recording, RecordingDamaged
from producers.recording_index import chosen_lines, index_path, write_index
from producers.recording_line import to_line
from producers.selection import Selection
from schemas.errors import Misconfigured
from schemas.record import Record
from tests.unit.producers.record_strategy import RECORDS

KEYS = [b"a", b"b", b"c", None]
records = st.lists(
    st.builds(
        lambda record, key, stamp_ms: record._replace(key=key, timestamp_ms=stamp_ms),
        RECORDS,
        st.sampled_from(KEYS),
        st.integers(-1, 20),
    ),
    max_size=20,
)
selections = st.builds(
    Selection,
    st.none() | st.integers(0, 21),
    st.none() | st.integers(0, 21),
    st.frozensets(st.sampled_from([b"a", b"b", b"absent"]), max_size=2),
)


def hundred(tmp_path: Path) -> Recording:
    """A recording of a hundred records, each of a time and a conversation of its own, indexed by tens."""
    recording = Recording(tmp_path / "r.jsonl")
    recording.write(Record("t", 0, number, number, b"c%d" % number, (), b"\xe2\x80\xa8\n") for number in range(100))
    assert write_index(recording, 10) == 10
    return recording


def offsets(recording: Recording, chosen: Selection) -> list[int]:
    return [found.record.offset for found in chosen_lines(recording, chosen)]


@settings(deadline=None, max_examples=200)
@given(
    found=records,
    chosen=selections,
    block_records=st.integers(1, 6),
    final_lf=st.booleans(),
    kept=st.none() | st.integers(0, 400),
)
def test_an_index_finds_what_reading_finds(
    found: list[Record],
    chosen: Selection,
    block_records: int,
    final_lf: bool,
    kept: int | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever the blocks, with and without a last LF, and with an index that is cut short anywhere.

    Planted bugs: a block's most for its least time; taking the end of a short index for the end of the recording.
    """
    recording = Recording(tmp_path_factory.getbasetemp() / "indexed.jsonl")
    recording.write(found)
    if not final_lf and found:
        recording.path.write_bytes(recording.path.read_bytes()[:-1])
    write_index(recording, block_records)
    if kept is not None:
        whole = index_path(recording.path).read_bytes()
        index_path(recording.path).write_bytes(whole[: 130 + kept])
    expected = [line for line in recording.lines() if chosen.takes(line.record)]
    assert list(chosen_lines(recording, chosen)) == expected


def test_what_an_index_rules_out_is_not_read(tmp_path: Path) -> None:
    """Damage elsewhere is not met, and damage in what is read is named by its line."""
    recording = hundred(tmp_path)
    packed = recording.path.read_bytes().splitlines(keepends=True)
    for number in (5, 77):
        packed[number] = b"?" * (len(packed[number]) - 1) + b"\n"
    stat = recording.path.stat()
    head = recording.path.read_bytes()
    assert len(head) < 64 * 1024
    recording.path.write_bytes(b"".join(packed))
    os.utime(recording.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    refresh_head(recording, head)
    assert offsets(recording, Selection(since_ms=42, until_ms=44)) == [42, 43]
    assert offsets(recording, Selection(conversations=frozenset({b"c23", b"c99"}))) == [23, 99]
    with pytest.raises(RecordingDamaged, match=r"line 78: "):
        offsets(recording, Selection(since_ms=75))


def refresh_head(recording: Recording, before: bytes) -> None:
    """Make the index one of the recording as it is now, which only a test would."""
    path = index_path(recording.path)
    old, new = (hashlib.sha256(head).hexdigest().encode() for head in (before, recording.path.read_bytes()))
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))


@pytest.mark.parametrize("change", ["grown", "touched", "rewritten", "empty-index", "garbage"])
def test_an_index_of_another_file_is_passed_over(change: str, tmp_path: Path) -> None:
    """Size, time of change and beginning must be those of the recording."""
    recording = hundred(tmp_path)
    stat = recording.path.stat()
    if change == "grown":
        with recording.path.open("ab") as file:
            file.write(to_line(Record("t", 0, 100, 43, b"c100", (), None)))
    elif change == "touched":
        os.utime(recording.path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    elif change == "rewritten":
        recording.path.write_bytes(recording.path.read_bytes().replace(b'"ts":3,', b'"ts":9,'))
        os.utime(recording.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    else:
        index_path(recording.path).write_bytes(b"" if change == "empty-index" else b"\xff\n\xff")
    chosen = Selection(since_ms=9, until_ms=44)
    assert offsets(recording, chosen) == [line.record.offset for line in chosen.lines(recording.lines())]


def test_packed_and_damaged_recordings_get_no_index(tmp_path: Path) -> None:
    """A packed file cannot be read from its middle, and of a damaged one no index is left."""
    packed = Recording(tmp_path / "r.zst")
    packed.write([])
    with pytest.raises(Misconfigured, match="only plain recordings"):
        write_index(packed)
    damaged = Recording(tmp_path / "r")
    damaged.path.write_bytes(b"?\n")
    with pytest.raises(RecordingDamaged):
        write_index(damaged)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r", "r.zst"]
