"""Keeps the policies as of the latest change that was heard of, for all lanes of a process."""

from collections.abc import Sequence
from typing import Protocol

from consumers.policy.book import Change, PolicyBook
from consumers.policy.decision import Switches
from consumers.policy.governance import AS_READ, Governance


class PolicyHistory(Protocol):
    """Where the history is read from."""

    async def policy_changes(self, after: int) -> Sequence[Change]:
        """Return the changes behind this number, by number. Raises DependencyUnavailable."""


class Governing:
    """Hands out the current governance; a store refuses what was made with an older one, and then it is refreshed."""

    def __init__(self, history: PolicyHistory, switches: Switches = AS_READ) -> None:
        self._history = history
        self._changes: list[Change] = []
        self.current = Governance(PolicyBook(), switches)

    async def refresh(self) -> None:
        """Hear of the changes since. Raises DependencyUnavailable."""
        more = await self._history.policy_changes(self.current.book.number)
        if more:
            self._changes += [change for change in more if change.number > self.current.book.number]
            self.current = Governance(PolicyBook(self._changes), self.current.switches)
