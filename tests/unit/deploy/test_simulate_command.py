"""What `simulate` refuses before it does anything."""

from pathlib import Path

import pytest
import typer

from deploy.cli.produce import simulate


def test_a_list_of_users_is_for_critical_mode_alone(tmp_path: Path) -> None:
    """Without --critical nobody would heed it, so it is no silent no-op."""
    with pytest.raises(typer.BadParameter, match="with --critical alone"):
        simulate(archived=str(tmp_path / "users.txt"), out=tmp_path / "recording.jsonl")
    assert not list(tmp_path.iterdir())
