"""A recording that is read twice for a rebuild has to be the same both times."""

import hashlib
from pathlib import Path

import pytest

from deploy.rebuilding import unchanged
from producers.recording import Recording
from schemas.errors import Misconfigured
from tests.builders import history, message, started


def test_another_recording_of_the_same_length_is_refused(tmp_path: Path) -> None:
    """Its records have the same places; only their content says that they are others."""
    recording = Recording(tmp_path / "r.jsonl")
    records = history(started(), message(text="one"))
    recording.write(records)
    sha256 = hashlib.sha256(recording.path.read_bytes()).hexdigest()
    assert list(unchanged(recording.lines(), sha256)) == records
    recording.write(history(started(), message(text="two")))
    with pytest.raises(Misconfigured, match="not the one"):
        list(unchanged(recording.lines(), sha256))
