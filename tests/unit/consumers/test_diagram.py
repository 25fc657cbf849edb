"""The state diagrams in the documentation are the tables."""

import re
from pathlib import Path

import pytest

from consumers.diagram import main, render
from consumers.transitions import TRANSITIONS

FILE = Path(__file__).parents[3] / "docs" / "state-diagrams.md"
USAGE_CODE = 2


def test_the_document_did_not_drift() -> None:
    """What is checked in is what the tables say."""
    assert FILE.read_bytes().decode() == render()


def test_every_move_is_drawn_once() -> None:
    """Each kind has one diagram, which holds each move of its table and no other."""
    diagrams = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```\n", render(), re.DOTALL)
    assert len(diagrams) == len(TRANSITIONS)
    for (kind, table), diagram in zip(TRANSITIONS.items(), diagrams, strict=True):
        drawn = {
            (source, f"lync.{kind}.{name}" if ".v" in name else f"lync.{kind}.{name}.v1", target)
            for source, target, names in re.findall(r"    (\w+) --> (\w+): (.+)\n", diagram)
            for name in names.split(", ")
        }
        assert drawn == {(source, name, target) for source, moves in table.items() for name, target in moves.items()}


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` fails and names the file until `generate` wrote it, and again when it drifts."""
    file = tmp_path / "state-diagrams.md"
    assert main(["check"], file) == 1
    assert "state-diagrams.md: drifted" in capsys.readouterr().out
    assert main(["generate"], file) == 0
    assert main(["check"], file) == 0
    file.write_bytes(file.read_bytes() + b"\n")
    assert main(["check"], file) == 1
    assert main([], file) == USAGE_CODE
