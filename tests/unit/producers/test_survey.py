"""A survey counts what can be read, and names where a recording is damaged."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from deploy.__main__ import run
from producers.distinct import DistinctCount
from producers.recording import Recording
from producers.survey import survey
from schemas.record import Record
from tests import builders as b

SUFFIXES = ("", ".gz", ".zst")
TALK = b.history(b.started(), b.message(text="hello"), b.left(b.BOB), b.ended())


def test_a_survey_counts(tmp_path: Path) -> None:
    """Records, bytes, partitions, conversations, users, times and the digest are those of the lines."""
    odd = Record("t", 3, 0, -1, None, (), None)
    path = tmp_path / "r.gz"
    Recording(path).write([*TALK, b.broken(), odd])
    plain = gzip.decompress(path.read_bytes())
    found = survey(Recording(path))
    assert found.document() == {
        "records": 6,
        "bytes": len(plain),
        "topics": {"lync.conversations": {"0": 5}, "t": {"3": 1}},
        "unlisted": 0,
        "conversations": 1,
        "conversations_exact": True,
        "users": 2,
        "users_exact": True,
        "undecodable": 2,
        "first_at": "1970-01-01T00:00:00Z",
        "last_at": b.at(4),
        "sha256": hashlib.sha256(plain).hexdigest(),
        "damage": None,
    }


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage_is_named_after_what_was_read(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A file cut short is reported as far as it goes, with its line, and exit code 1."""
    path = tmp_path / f"r{suffix}"
    Recording(path).write(TALK * 1000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 + 1])
    monkeypatch.setattr("sys.argv", ["lync-archiver", "recording", "info", str(path), "--json"])
    assert run() == 1
    said = capsysbinary.readouterr()
    document = json.loads(said.out)
    assert document["damage"]["line"] == document["records"] + 1
    assert said.err.decode().startswith(f"{path}, line {document['damage']['line']}: ")
    assert len(said.err.splitlines()) == 1


def test_a_survey_of_times_beyond_the_calendar(tmp_path: Path) -> None:
    """Kafka's largest timestamp is given as a number."""
    path = tmp_path / "r"
    Recording(path).write([TALK[0]._replace(timestamp_ms=2**63 - 1)])
    assert survey(Recording(path)).document()["last_at"] == 2**63 - 1


def test_distinct_values_are_counted_exactly_and_then_estimated() -> None:
    """Up to the sample the count is exact; beyond, 100 times as many come out within five standard errors."""
    found = DistinctCount(1000)
    for number in range(1000):
        found.add(b"%d" % number)
        found.add(b"%d" % number)
    assert (found.count, found.exact) == (1000, True)
    for number in range(100_000):
        found.add(b"%d" % number)
    assert not found.exact
    assert abs(found.count - 100_000) < 100_000 * 5 / 1000**0.5
