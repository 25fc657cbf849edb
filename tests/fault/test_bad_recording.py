"""A recording that cannot be read is told of in one sentence."""

import pytest

from tests.support.program import Program


@pytest.mark.parametrize("line", [b"not json", b"{}", b"\xff"])
def test_a_bad_first_line_is_one_sentence(program: Program, line: bytes) -> None:
    """Nothing was sent yet, and the connection is given up at once."""
    bad = program.folder / "bad.jsonl"
    bad.write_bytes(line + b"\n")
    _, said = program.outputs("replay", bad, expect=1)
    assert "line 1" in said
    assert said.count("\n") == 1
