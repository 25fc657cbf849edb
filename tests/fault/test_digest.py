"""I3 on real processes: what is stored depends on the events alone."""

from tests.fault.episodes import digest_of, simulated
from tests.support.program import Program


def test_batches_and_workers_do_not_matter(program: Program) -> None:
    """One process and two, in batches of 1, 7 and 500, leave the same archive."""
    recording = simulated(program, users=60, hours=1)
    digests = {
        (workers, batch): digest_of(program, recording, workers=workers, batch=batch)
        for workers in (1, 2)
        for batch in (1, 7, 500)
    }
    assert len(set(digests.values())) == 1, digests


def test_a_second_replay_changes_nothing(program: Program) -> None:
    """Everything replayed again is counted as duplicate, and the archive stays the same."""
    recording = simulated(program, users=30, hours=1)
    first = program.archive()
    before = program.verify(recording)
    program.run("replay", recording, "--speed", "max")
    second = program.archive()
    assert program.verify(recording) == before
    assert second == {"in": first["in"], "archived": 0, "duplicate": first["in"], "quarantined": 0}
