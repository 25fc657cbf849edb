"""An archiver that is killed loses nothing and doubles nothing."""

from pathlib import Path

from tests.fault.episodes import digest_of, killed_digest, simulated
from tests.support.program import Program
from tests.support.waiting import await_until


async def test_killed_at_random_moments(program: Program) -> None:
    """Killed with SIGKILL three times on the way, the archive ends up as that of an undisturbed run."""
    recording = simulated(program, users=60, hours=1)
    undisturbed = digest_of(program, recording, workers=1, batch=500)
    assert await killed_digest(program, recording, kills=3, batch=3, seed=7) == undisturbed


async def test_sigterm_ends_cleanly(program: Program) -> None:
    """SIGTERM lets the commit under way finish: exit 0, and the rest is archived by the next run."""
    recording = simulated(program, users=30, hours=1)
    process = program.start("archive", "--batch", 2)
    log = program.folder / f"{program.database}.log"
    await await_until(lambda: _committed(log), limit_s=60)
    process.terminate()
    assert process.wait(timeout=60) == 0
    program.archive()
    program.verify(recording)


def _committed(log: Path) -> bool:
    return b"batch-committed" in log.read_bytes()
