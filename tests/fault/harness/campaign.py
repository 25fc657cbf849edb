"""Many episodes on a few stacks at once, the smallest episode that still fails, and a table of what was met."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.fault.harness.episode import Outcome, play
from tests.fault.harness.ground import Ground, ground
from tests.fault.harness.plan import Kind, Plan, draw

LINES_MAX: Final = 20
"""Findings of one episode that are printed; the rest are counted."""

TRIES: Final = 2
"""How often a smaller episode is tried: real processes do not fail alike each time."""


@dataclass(slots=True)
class Result:
    """What a campaign came to."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether no episode found anything."""
        return all(outcome.clean for outcome in self.outcomes)

    def table(self) -> Iterator[str]:
        """Yield a row for each kind of fault: episodes that met it, how often, and episodes of those that failed."""
        injected = Counter(kind for outcome in self.outcomes for kind in outcome.injected)
        met = Counter(kind for outcome in self.outcomes for kind in outcome.met)
        episodes = Counter(kind for outcome in self.outcomes for kind in set(outcome.injected))
        findings = Counter(
            kind for outcome in self.outcomes for kind in set(outcome.injected) for _ in outcome.findings
        )
        yield "| fault | episodes | times | of these with work under way | findings |"
        yield "|---|--:|--:|--:|--:|"
        for kind in Kind:
            yield f"| {kind} | {episodes[kind]} | {injected[kind]} | {met[kind]} | {findings[kind]} |"
        records = sum(outcome.records for outcome in self.outcomes)
        total = sum(len(outcome.findings) for outcome in self.outcomes)
        yield f"| all | {len(self.outcomes)} | {injected.total()} | {met.total()} | {total} |"
        yield f"{records} records; {'nothing found' if self.clean else 'FINDINGS'}"


async def campaign(seeds: Iterable[int], stacks: int, folder: Path) -> Result:
    """Play the episodes of these seeds, one at a time on each of the stacks, whose data is kept in `folder`."""
    waiting = iter(seeds)
    result = Result()
    async with asyncio.TaskGroup() as playing:
        for number in range(stacks):
            playing.create_task(_play_all(folder / str(number), waiting, result))
    return result


async def _play_all(folder: Path, seeds: Iterator[int], result: Result) -> None:
    async with ground(folder) as stack:
        for seed in seeds:
            outcome = await play(stack, draw(seed))
            result.outcomes.append(outcome)
            tell(outcome)
            if not outcome.clean:
                await shrink(stack, outcome)


def tell(outcome: Outcome) -> None:
    """Print an outcome: a line where it is clean, the whole plan and the findings where not."""
    plan = outcome.plan
    if outcome.clean:
        kinds = "; ".join(plan_fault.kind for plan_fault in plan.faults)
        say(f"seed {plan.seed}: {outcome.records} records in {outcome.duration_s:.1f} s, clean: {kinds}")
        return
    say(f"FOUND {len(outcome.findings)} in {outcome.duration_s:.1f} s: {plan}")
    for line in outcome.findings[:LINES_MAX]:
        say(f"    {line}")


async def shrink(stack: Ground, outcome: Outcome) -> Outcome:
    """Return the smallest episode found that fails still, fewer faults first, then fewer records; print it."""
    smallest = outcome
    shrinking = True
    while shrinking:
        shrinking = False
        for plan in _smaller(smallest.plan):
            failed = await _fails(stack, plan)
            if failed is not None:
                smallest, shrinking = failed, True
                break
    if smallest is not outcome:
        say("the smallest that still fails:")
        tell(smallest)
    return smallest


async def _fails(stack: Ground, plan: Plan) -> Outcome | None:
    for _ in range(TRIES):
        outcome = await play(stack, plan)
        if not outcome.clean:
            return outcome
    return None


def _smaller(plan: Plan) -> Iterator[Plan]:
    for number in range(len(plan.faults)):
        rest = plan.faults[:number] + plan.faults[number + 1 :]
        yield replace(plan, faults=tuple(replace(fault, joined=False) for fault in rest))
    if plan.records > 200:
        yield replace(plan, records=plan.records // 2)


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
