"""Whether a store fails, from what its lanes and probes meet. Pure: time comes in as a number.

Both ways there is hysteresis, so that one lost race blocks nobody and one lucky write lets nobody in too soon.
"""

from dataclasses import dataclass
from typing import Final

from schemas.health import Condition

FAILURES_MIN: Final = 2
"""Failures in a row, with no success between them, that make a store failing."""

STEADY_S: Final = 3.0
"""How long a failing store has to take everything before it counts as well again."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is held of one store. `steady_since_s`: the first success after the latest failure, on the same clock."""

    condition: Condition = Condition.OK
    failures: int = 0
    steady_since_s: float | None = None

    def failed(self) -> "Judgement":
        """Return what is held once it failed to take or to give something."""
        failures = min(self.failures + 1, FAILURES_MIN)
        failing = self.condition is Condition.FAILING or failures >= FAILURES_MIN
        return Judgement(Condition.FAILING if failing else Condition.OK, failures)

    def succeeded(self, now_s: float) -> "Judgement":
        """Return what is held once it took something."""
        if self.condition is Condition.OK:
            return Judgement()
        since_s = now_s if self.steady_since_s is None else self.steady_since_s
        return Judgement() if now_s - since_s >= STEADY_S else Judgement(Condition.FAILING, 0, since_s)
