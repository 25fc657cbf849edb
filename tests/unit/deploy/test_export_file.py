"""Files that an export writes."""

import os
import threading
from pathlib import Path

from deploy.export import writing


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    """Who could not read the file before cannot read the mailbox in it."""
    out = tmp_path / "out.json"
    out.touch(mode=0o600)
    with writing(out) as write:
        write("[]")
    assert (out.read_text(), out.stat().st_mode & 0o777) == ("[]", 0o600)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it points at is written."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    with writing(link) as write:
        write("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    """And is there afterwards."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with writing(pipe) as write:
        write("through")
    reader.join(10)
    assert read == ["through"]
    assert pipe.is_fifo()
