"""Sweeping the content store, and writing a file out."""

from pathlib import Path

import pytest

from consumers.memory_content import MemoryContent
from consumers.ports import ContentAltered, IdleContent
from consumers.reading import NotFound
from deploy.content import Swept, get, sweep
from schemas.errors import Misconfigured
from tests.builders import reference
from tests.support.clock import ManualClock

ONE, TWO = reference(b"one").sha256, reference(b"two").sha256


@pytest.mark.parametrize(("dry_run", "left"), [(True, 2), (False, 1)])
async def test_a_sweep_takes_what_is_old_and_idle(dry_run: bool, left: int) -> None:
    """Old files that nothing refers to are named and deleted; a dry run only names them."""
    clock = ManualClock()
    contents = MemoryContent(clock)
    contents.put(b"one")
    contents.put(b"two")
    clock.advance(3600)
    contents.put(b"two")
    clock.advance(1)
    seen: list[IdleContent] = []
    swept = await sweep(contents, clock.now(), 1, dry_run=dry_run, watch=seen.append)
    assert [file.sha256 for file in seen] == [ONE]
    assert swept == (Swept(idle=1) if dry_run else Swept(idle=1, deleted=1, bytes=3))
    assert len([file async for file in contents.idle(clock.now())]) == left


async def test_what_is_referred_to_meanwhile_is_kept() -> None:
    """A file that somebody refers to between being found and being deleted stays, and is counted."""
    clock = ManualClock()
    contents = MemoryContent(clock)
    contents.put(b"one")
    clock.advance(7200)

    def refer(file: IdleContent) -> None:
        contents.refers = lambda sha256: sha256 == file.sha256

    assert await sweep(contents, clock.now(), 1, dry_run=False, watch=refer) == Swept(idle=1, kept=1)


async def test_a_file_takes_its_name_only_when_it_is_right(tmp_path: Path) -> None:
    """Bytes that are not there, or are others, leave no file, and none that was there is harmed."""
    contents = MemoryContent(ManualClock())
    contents.put(b"one")
    contents.put(b"other", TWO)
    out = tmp_path / "out"
    assert await get(contents, ONE, out) == 3
    for digest, error in ((TWO, ContentAltered), ("0" * 64, NotFound)):
        with pytest.raises(error):
            await get(contents, digest, out)
    assert out.read_bytes() == b"one"
    assert not (tmp_path / "out.part").exists()
    with pytest.raises(Misconfigured):
        await get(contents, ONE, tmp_path / "absent" / "out")
