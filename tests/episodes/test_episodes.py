"""Episodes: whatever breaks, everything is archived once, in order, and as it should be; one seed is one trace."""

import pytest

from tests.episodes.episode import episode
from tests.episodes.planted import BUGS, Bug, planted
from tests.episodes.play import play
from tests.episodes.run import run
from tests.episodes.shrink import shrink

EPISODES = 150


def test_nothing_is_found_in_a_sample() -> None:
    """A sample of episodes, each with its own records and faults, leaves the archive that it should."""
    summary = run(EPISODES)
    assert summary.failed == []
    assert summary.episodes == EPISODES
    assert summary.faults > EPISODES


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_seed_is_one_trace(seed: int) -> None:
    """The same seed plays the same, another one otherwise."""
    assert play(episode(seed)).trace == play(episode(seed)).trace
    assert play(episode(seed)).trace != play(episode(seed + 1)).trace


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    """Its seed finds the bug by the kind of finding that it names, and nothing once the bug is gone."""
    with planted(bug):
        assert bug.finding in play(episode(bug.seed)).kinds
    assert play(episode(bug.seed)).findings == ()


def test_a_failing_episode_is_shrunk() -> None:
    """What is left fails still, and is less."""
    bug = next(bug for bug in BUGS if bug.finding == "fell")
    whole = episode(bug.seed)
    with planted(bug):
        small, outcome = shrink(whole, play(whole))
    assert outcome.findings
    assert len(small.arrivals) < len(whole.arrivals) / 2
    assert len(small.faults) <= len(whole.faults)
    assert play(small).findings == ()
