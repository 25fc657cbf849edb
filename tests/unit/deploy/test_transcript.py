"""What a person reads of an item on a terminal."""

from typing import Any

import pytest

from consumers.entry import EntryKind
from deploy.cli.transcript import print_transcript


def printed(capsys: pytest.CaptureFixture[str], **entry: Any) -> str:
    """Return the line of an entry of which these facts are known."""
    facts = {"sequence": 2, "at": "2026-01-05T09:00:00Z", "sip": "sip:a@c.com", "name": "Alice", "text": "", **entry}
    head = {"subject": "Budget", "item_class": "c", "status": "archived", "folder": "f", "id": "i", "gaps": []}
    times = {"started_at": None, "ended_at": None, "participants": [], "entries": [facts]}
    print_transcript(head | times)
    return capsys.readouterr().out.splitlines()[-1].strip().removeprefix("2026-01-05T09:00:00Z  ")


@pytest.mark.parametrize("kind", EntryKind)
def test_every_kind_has_its_line(kind: EntryKind, capsys: pytest.CaptureFixture[str]) -> None:
    """No kind of entry is without words for it."""
    assert "Alice" in printed(capsys, kind=str(kind), text="text")


def test_a_line_says_what_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    """The text is on one line, whatever people put into it, and nobody stands for who is not named."""
    assert printed(capsys, kind="poll", text="Ready?\n1. yes\n2. {no}") == "* Alice asks all: Ready? / 1. yes / 2. {no}"
    assert printed(capsys, kind="poll-result", sip="", name="", text="3, 4") == "* poll so far: 3, 4"
    assert printed(capsys, kind="modality", text="left audio") == "* Alice left audio"
    assert printed(capsys, kind="join") == "* Alice joined"
