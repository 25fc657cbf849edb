"""Recordings through a real Kafka: what is chosen of them is published, and scrubbed ones are archived alike."""

from pathlib import Path

import pytest

from producers.recording import Recording
from producers.topics import Topics
from schemas.record import Record
from tests.conftest import StackAddresses
from tests.support.program import Program


@pytest.fixture
def program(stack: StackAddresses, topics: Topics, database: str, tmp_path: Path) -> Program:
    """The program with an empty archive, in an empty folder."""
    return Program(stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.issuer_folder, topics, tmp_path, database)


def unplaced(path: Path) -> list[Record]:
    return sorted(record._replace(partition=-1, offset=-1) for record in Recording(path).read())


def test_what_is_chosen_is_replayed(program: Program) -> None:
    """Filters on `replay` publish just what `recording cut` with the same filters copies."""
    whole, cut, again = (program.folder / name for name in ("whole.jsonl.gz", "cut.jsonl", "again.jsonl.zst"))
    program.run("simulate", "--users", 30, "--hours", 1, "--seed", 6, "--out", whole)
    records = list(Recording(whole).read())
    talk = next(record.key for record in records if record.key is not None)
    since = "2013-03-04T08:10:00Z"
    for chosen in (("--conversation", talk.decode()), ("--since", since, "--until", "2013-03-04T08:20:00Z")):
        program.run("recording", "cut", whole, cut, *chosen)
        sent = unplaced(cut)
        assert 0 < len(sent) < len(records)
        assert program.json("replay", whole, *chosen) == {"records": len(sent)}
        program.run("record", again, "--until-caught-up")
        held = unplaced(again)
        assert all(record in held for record in sent)
    assert program.json("recording", "info", again)["records"] == len(held)


def test_a_scrubbed_recording_verifies_as_the_original(program: Program) -> None:
    """Both are archived side by side, and the verification counts the same of each."""
    whole, scrubbed = program.folder / "whole.jsonl.zst", program.folder / "scrubbed.jsonl.gz"
    program.trust_issuer()
    program.run("simulate", "--users", 30, "--hours", 1, "--seed", 8, "--out", whole)
    program.run("recording", "scrub", whole, scrubbed, "--seed", "a test's own")
    for recording in (whole, scrubbed):
        program.run("replay", recording)
    program.archive()
    original, other = program.verify(whole), program.verify(scrubbed)
    assert original.pop("digest") != other.pop("digest")
    assert original == other
    assert original["expected"] > 0
