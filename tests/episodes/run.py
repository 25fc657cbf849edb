"""Running many episodes, and saying what they showed."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.episodes.episode import Episode, episode
from tests.episodes.planted import Bug, planted
from tests.episodes.play import Outcome, play
from tests.episodes.shrink import shrink


@dataclass(slots=True)
class Summary:
    """What a run of episodes came to; `failed` are the seeds with findings."""

    episodes: int = 0
    first_seed: int = 1
    records: int = 0
    commits: int = 0
    faults: int = 0
    virtual_s: float = 0.0
    failed: list[int] = field(default_factory=list)

    def add(self, played: Episode, outcome: Outcome) -> None:
        """Count one more."""
        self.episodes += 1
        self.records += outcome.records
        self.commits += outcome.commits
        self.faults += len(played.faults)
        self.virtual_s += outcome.virtual_s
        if outcome.findings:
            self.failed.append(played.seed)

    def __str__(self) -> str:
        verdict = f"{len(self.failed)} with findings: seeds {self.failed}" if self.failed else "no findings"
        return (
            f"{self.episodes} episodes from seed {self.first_seed}: {self.records} records, {self.commits} commits, "
            f"{self.faults} faults, {self.virtual_s / 3600:.1f} hours of virtual time; {verdict}"
        )


def run(episodes: int, first_seed: int = 1) -> Summary:
    """Play this many episodes, of the seeds from `first_seed` on."""
    summary = Summary(first_seed=first_seed)
    for seed in range(first_seed, first_seed + episodes):
        played = episode(seed)
        summary.add(played, play(played))
    return summary


def found_by(bug: Bug, seeds: range) -> tuple[int, Outcome] | None:
    """Return the first of the seeds that finds the bug by the kind of finding that it names, or None."""
    with planted(bug):
        for seed in seeds:
            outcome = play(episode(seed))
            if bug.finding in outcome.kinds:
                return seed, outcome
    return None


def told(seed: int) -> Iterator[str]:
    """Yield lines on one seed's episode: its trace, and where it fails, the smallest form that does, in full."""
    whole = episode(seed)
    outcome = play(whole)
    if not outcome.findings:
        yield f"seed {seed}: no findings; {outcome.records} records, {outcome.commits} commits, trace {outcome.trace}"
        return
    small, outcome = shrink(whole, outcome)
    left_out = len(whole.faults) - len(small.faults), len(whole.arrivals) - len(small.arrivals)
    yield f"seed {seed}: {dict(outcome.kinds)}, without {left_out[0]} faults and {left_out[1]} records"
    yield f"{small.processes} processes, {small.limits}"
    for arrival in small.arrivals:
        yield f"comes at {arrival.at_s:.3f} s into {arrival.lane}: {_place(arrival.record)}"
    yield from map(str, small.faults)
    yield from (f"  {line}" for line in outcome.happened)
    yield from outcome.findings


def _place(record: object) -> str:
    headers = dict(getattr(record, "headers", ()))
    key = getattr(record, "key", None) or b""
    parts = (key, headers.get("ce_sequence"), headers.get("ce_type"), headers.get("ce_source"))
    return " ".join((part or b"-").decode() for part in parts) if headers else "a marker"
