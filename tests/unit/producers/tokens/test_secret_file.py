"""Secrets on disk are for their owner alone, and are written whole."""

import threading
from pathlib import Path

import pytest

from producers.tokens.secret_file import locked, make_private, read_secret, write_secret
from schemas.errors import Misconfigured


def test_a_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    """File and folder are made so, whatever the umask lets others do elsewhere."""
    file = tmp_path / "folder" / "one.secret"
    write_secret(file, b"first")
    write_secret(file, b"second")
    assert read_secret(file) == b"second"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """Reading, writing and running it count, for the group and for all; the sentence tells what to do."""
    file = tmp_path / "one.secret"
    file.write_bytes(b"canary-of-a-secret")
    file.chmod(mode)
    with pytest.raises(Misconfigured, match="chmod 600") as refused:
        read_secret(file)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o711, 0o770])
def test_a_folder_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """Nothing is written where others could put something else in its place."""
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(Misconfigured, match="chmod 700"):
        make_private(folder)
    with pytest.raises(Misconfigured, match="chmod 700"):
        write_secret(folder / "one.secret", b"x")
    assert list(folder.iterdir()) == []


def test_what_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    """A file that is not there, a folder that is a file, a file that is a folder."""
    with pytest.raises(Misconfigured, match="cannot be read"):
        read_secret(tmp_path / "absent")
    (tmp_path / "file").touch(mode=0o600)
    with pytest.raises(Misconfigured, match="cannot be made"):
        write_secret(tmp_path / "file" / "one.secret", b"x")
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "private" / "taken").mkdir()
    with pytest.raises(Misconfigured, match="cannot be written"):
        write_secret(tmp_path / "private" / "taken", b"x")
    assert [path.name for path in (tmp_path / "private").iterdir()] == ["taken"]


def test_one_at_a_time_holds_the_lock(tmp_path: Path) -> None:
    """Whoever comes second waits until the first is done, be it a thread of the same process."""
    folder, seen = tmp_path / "private", list[str]()

    def second() -> None:
        with locked(folder):
            seen.append("second")

    waiting = threading.Thread(target=second)
    with locked(folder):
        waiting.start()
        waiting.join(timeout=0.1)
        assert waiting.is_alive()
        seen.append("first")
    waiting.join(timeout=10)
    assert seen == ["first", "second"]
