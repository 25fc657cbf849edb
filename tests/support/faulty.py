"""Failures on purpose: a store that fails as scripted, around any store that works."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from consumers.batch import Batch, Checkpoint, LaneId
from consumers.content import Claim, ContentState
from consumers.conversation import Conversation
from consumers.grant import Grant
from consumers.memory_content import MemoryContent
from consumers.memory_quarantine import MemoryQuarantine
from consumers.policy.book import Change
from consumers.ports import ArchiveStore, IdleContent
from consumers.redrive import Redrive
from schemas.envelope import Event
from tests.support.clock import ManualClock
from tests.support.trust import trusting


class When(Enum):
    """Where in a commit it fails."""

    BEFORE = auto()
    """Nothing is written."""

    AFTER = auto()
    """Everything is written, and the answer is lost."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One commit that fails with `error`."""

    error: Exception
    when: When = When.BEFORE


class FaultyStore:
    """An `ArchiveStore` whose commits fail as `script` says, one entry a commit; None is a commit that works.

    Clear `gate` to hold commits up before they begin; `entered` is set by each that reaches it.
    `commits` are those that were begun, `ends` the ends of those that the store took.
    """

    def __init__(self, store: ArchiveStore, script: Iterable[Fault | None] = ()) -> None:
        self._store = store
        self._script = iter(list(script))
        self.entered = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.resumed = 0
        self.commits: list[Batch] = []
        self.ends: list[int] = []

    async def checkpoint(self, lane: LaneId) -> Checkpoint | None:
        self.resumed += 1
        return await self._store.checkpoint(lane)

    async def load(self, conversations: Iterable[str]) -> Mapping[str, Conversation]:
        return await self._store.load(conversations)

    async def recall(self, places: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], Event]:
        return await self._store.recall(places)

    async def policy_changes(self, after: int) -> Sequence[Change]:
        return await self._store.policy_changes(after)

    async def commit(self, grant: Grant, batch: Batch) -> None:
        self.commits.append(batch)
        self.entered.set()
        await self.gate.wait()
        fault = next(self._script, None)
        if fault is not None and fault.when is When.BEFORE:
            raise fault.error
        await self._store.commit(grant, batch)
        self.ends.append(batch.end)
        if fault is not None:
            raise fault.error


class FaultyQuarantine(MemoryQuarantine):
    """A `QuarantineStore` whose redrives fail as `script` says, one entry a redrive; `redrives` are those it took."""

    def __init__(self, clock: ManualClock, script: Iterable[Fault | None] = ()) -> None:
        super().__init__(clock, trusting())
        self.clock = clock
        self._script: Iterator[Fault | None] = iter(list(script))
        self.redrives: list[Redrive] = []

    def mend(self) -> None:
        """Forget the rest of the script."""
        self._script = iter(())

    async def redrive(self, grant: Grant, redrive: Redrive) -> None:
        fault = next(self._script, None)
        if fault is not None and fault.when is When.BEFORE:
            raise fault.error
        await super().redrive(grant, redrive)
        self.redrives.append(redrive)
        if fault is not None:
            raise fault.error


class AbsentContent:
    """A `ContentStore` that cannot be asked as often as `errors` says."""

    def __init__(self, contents: MemoryContent, errors: Iterable[Exception]) -> None:
        self._contents = contents
        self._errors = iter(list(errors))

    async def inspect(self, claims: Collection[Claim]) -> Mapping[Claim, ContentState]:
        error = next(self._errors, None)
        if error is not None:
            raise error
        return await self._contents.inspect(claims)

    def open(self, sha256: str) -> AsyncIterator[bytes]:
        return self._contents.open(sha256)

    def idle(self, before: datetime) -> AsyncIterator[IdleContent]:
        return self._contents.idle(before)

    async def drop(self, sha256: str, before: datetime) -> bool:
        return await self._contents.drop(sha256, before)
