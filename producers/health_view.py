"""What the archivers' reports come to: whether there is an archive to write for. Pure: time comes in as a number.

One living archiver that says its store fails is enough. Of several, one that died is made up for by the others, who
take its partitions over; once nobody is heard any more, nothing is archived, and both stores count as failing.
"""

from dataclasses import dataclass
from typing import NamedTuple

from schemas.health import SILENCE_S, Condition, StoreHealth


class Outage(NamedTuple):
    """What fails at a moment. With `silent` no archiver is heard, and all else follows from that."""

    store: bool = False
    files: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True)
class _Heard:
    health: StoreHealth
    at_s: float


class HealthView:
    """The newest report of each archiver, and when it was heard."""

    def __init__(self) -> None:
        self._heard: dict[str, _Heard] = {}

    def hear(self, health: StoreHealth, now_s: float, age_s: float = 0.0) -> None:
        """Take a report that was made `age_s` ago, as far as clocks agree; 0 for one that comes as it is made."""
        self._heard[health.archiver] = _Heard(health, now_s - max(0.0, age_s))

    def withdraw(self, archiver: str) -> None:
        """Forget an archiver that left."""
        self._heard.pop(archiver, None)

    def outage(self, now_s: float) -> Outage:
        """Return what fails now."""
        self._heard = {name: heard for name, heard in self._heard.items() if now_s - heard.at_s < SILENCE_S}
        if not self._heard:
            return Outage(store=True, files=True, silent=True)
        reports = [heard.health for heard in self._heard.values()]
        return Outage(
            store=any(report.store is Condition.FAILING for report in reports),
            files=any(report.files is Condition.FAILING for report in reports),
        )
