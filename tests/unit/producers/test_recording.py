"""Recordings keep every byte, name damage by its line, and read what kcat prints."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.recording import Recording, RecordingDamaged
from producers.recording_line import from_line, to_line
from schemas.errors import Misconfigured
from schemas.record import Record
from tests.unit.producers.record_strategy import RECORDS

SUFFIXES = ("", ".gz", ".zst")
RECORD = Record("t", 0, 7, 1700000000000, b"k", (("h", b"v"),), "one\u2028two\nthree\u0085".encode())


def some(count: int) -> list[Record]:
    return [RECORD._replace(offset=number, value=f"{number} {'é' * (number % 50)}".encode()) for number in range(count)]


@given(record=RECORDS)
def test_a_line_gives_back_the_record(record: Record) -> None:
    """Whatever Kafka can hold survives a line, which holds no LF (planted bug: decoding with errors="replace")."""
    line = to_line(record)
    assert b"\n" not in line
    assert from_line(line) == record


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(records=st.lists(RECORDS, max_size=8))
def test_a_recording_gives_back_its_records(
    suffix: str, records: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Writing and reading is lossless in every format (planted bug: splitting at U+2028)."""
    path = tmp_path_factory.getbasetemp() / f"round-trip{suffix}"
    assert Recording(path).write(records) == len(records)
    assert list(Recording(path).read()) == records


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_records_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    """Neither the file's name nor the time gets into the file."""
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    Recording(first).write(some(100))
    Recording(second).write(some(100))
    assert first.read_bytes() == second.read_bytes()


def test_compression_is_what_the_suffix_says(tmp_path: Path) -> None:
    """A `.gz` file is one that every gzip reads."""
    path = tmp_path / "r.jsonl.gz"
    Recording(path).write([RECORD])
    assert gzip.decompress(path.read_bytes()) == to_line(RECORD) + b"\n"


def test_reads_what_kcat_prints() -> None:
    """The fields are those of `kcat -J`, with and without headers, with nulls, and with fields that we do not keep."""
    full = (
        b'{"topic":"lync.conversations","partition":2,"offset":41,"tstype":"create","ts":1362384000123,"broker":1,'
        b'"headers":["ce_id","a","ce_id","b","empty",null],"key":"c1","payload":"{\\"a\\":1}"}'
    )
    headers = (("ce_id", b"a"), ("ce_id", b"b"), ("empty", None))
    assert from_line(full) == Record("lync.conversations", 2, 41, 1362384000123, b"c1", headers, b'{"a":1}')
    bare = b'{"topic":"t","partition":0,"offset":0,"key":null,"key_error":"x","payload":null}'
    assert from_line(bare) == Record("t", 0, 0, -1, None, (), None)


def test_writes_the_fields_of_kcat() -> None:
    """The field names and their forms are those of the contract."""
    assert json.loads(to_line(RECORD._replace(key=None, value=b"\xff"))) == {
        "topic": "t",
        "partition": 0,
        "offset": 7,
        "tstype": "create",
        "ts": 1700000000000,
        "headers": ["h", "v"],
        "key": None,
        "payload": {"base64": "/w=="},
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "the line is not JSON"),
        (b'{"topic":"t"', "the line is not JSON"),
        (b"\xff", "the line is not JSON"),
        (b"[" * 100_000, "the line is not JSON"),
        (b"[]", "the line is not a JSON object"),
        (b'{"key":null,"payload":null}', "topic is missing"),
        (b'{"topic":"t","payload":null}', "key is missing"),
        (b'{"topic":"t","key":null}', "payload is missing"),
        (b'{"topic":"t","key":1,"payload":null}', "key is neither text, null nor base64"),
        (b'{"topic":"t","key":null,"payload":{"base64":"*"}}', "payload cannot be turned into bytes"),
        (b'{"topic":"t","key":null,"payload":"\\ud800"}', "payload cannot be turned into bytes"),
        (b'{"topic":"t","key":null,"payload":"","headers":["a"]}', "headers is not a list of names and values"),
        (b'{"topic":"t","key":null,"payload":"","headers":[1,"a"]}', "a header's name is neither text"),
        (b'{"topic":"t","key":null,"payload":"","headers":[null,"a"]}', "a header's name is null"),
        (b'{"topic":"t","key":null,"payload":"","headers":["a",1]}', "a header is neither text"),
        (b'{"topic":"t","key":null,"payload":"","partition":true}', "partition is not a whole number"),
        (b'{"topic":"t","key":null,"payload":"","offset":-2}', "offset is not a whole number"),
        (b'{"topic":"t","key":null,"payload":"","ts":1.5}', "ts is not a whole number"),
    ],
)
def test_a_damaged_line_is_named(line: bytes, reason: str, tmp_path: Path) -> None:
    """What was recorded before the damage is read first; then the error names file, line and field."""
    path = tmp_path / "r"
    path.write_bytes(to_line(RECORD) + b"\n" + line + b"\n")
    records = Recording(path).read()
    assert next(records) == RECORD
    with pytest.raises(RecordingDamaged, match="line 2: ") as damaged:
        next(records)
    assert (damaged.value.path, damaged.value.line) == (path, 2)
    assert damaged.value.reason.startswith(reason)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_file_cut_short_is_noticed(suffix: str, kept: float, tmp_path: Path) -> None:
    """However much of a compressed file is missing, what is there is read, and the end is not taken for the end."""
    path = tmp_path / f"r{suffix}"
    Recording(path).write(some(5000))
    packed = path.read_bytes()
    path.write_bytes(packed[: min(int(len(packed) * kept), len(packed) - 1)])
    read: list[Record] = []
    records = Recording(path).read()
    if suffix == ".gz" and kept == 0.0:
        assert list(records) == []  # gzip takes an empty file for an empty one
        return
    with pytest.raises(RecordingDamaged, match="the compressed file is cut short") as damaged:
        read.extend(records)
    assert damaged.value.line == len(read) + 1
    assert read == some(5000)[: len(read)]
    assert len(read) >= 5000 * kept * 0.5 - 1000


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_corrupt_file_is_noticed(suffix: str, tmp_path: Path) -> None:
    """A flipped bit in compressed data never gives other records."""
    path = tmp_path / f"r{suffix}"
    Recording(path).write(some(5000))
    packed = bytearray(path.read_bytes())
    packed[len(packed) - 3] ^= 0x10
    path.write_bytes(packed)
    with pytest.raises(RecordingDamaged):
        list(Recording(path).read())


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_files_that_were_joined_are_read_as_one(suffix: str, tmp_path: Path) -> None:
    """`cat a.gz b.gz` is a recording, and so it is with zstd."""
    path = tmp_path / f"r{suffix}"
    Recording(path).write(some(10))
    path.write_bytes(path.read_bytes() * 2)
    assert list(Recording(path).read()) == some(10) * 2


def test_a_last_line_needs_no_line_feed(tmp_path: Path) -> None:
    """A file that an editor wrote without a final LF is complete."""
    path = tmp_path / "r"
    path.write_bytes(to_line(RECORD))
    assert list(Recording(path).read()) == [RECORD]


def test_a_file_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    """Neither a missing file nor a folder in a file's place gives a traceback."""
    with pytest.raises(Misconfigured, match="cannot be read"):
        list(Recording(tmp_path / "absent").read())
    with pytest.raises(Misconfigured, match="cannot be written"):
        Recording(tmp_path).write([])
