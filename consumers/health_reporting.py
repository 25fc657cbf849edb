"""An archiver's reports of its stores: probed, watched as lanes use them, and published at every change and heartbeat.

Nothing here holds up or ends an archiver: what cannot be published is logged, and silence counts as failing.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from consumers.batch import Batch, LaneId
from consumers.health import Judgement
from consumers.ports import HealthObserver, HealthPublisher, LaneObserver, StoreProbe, StoreUnavailable
from consumers.stopping import unless_stopped
from schemas.clock import Clock
from schemas.errors import LyncArchiverError
from schemas.health import HEARTBEAT_S, StoreHealth

PROBE_S: Final = 1.0
"""The pause between probes: a store that is well again is found so while nobody writes to it, too."""

PROBE_LIMIT_S: Final = 2.0
"""A store that takes longer for one small write fails; a journaled majority write takes a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Stores:
    """What is probed."""

    store: StoreProbe
    files: StoreProbe


class HealthReporting:
    """Keeps one archiver's reports going. `told` is told of changes."""

    def __init__(
        self, archiver: str, stores: Stores, publisher: HealthPublisher, told: HealthObserver, clock: Clock
    ) -> None:
        self._archiver = archiver
        self._stores = stores
        self._publisher = publisher
        self._told = told
        self._clock = clock
        self._since = clock.now()
        self._store = Judgement()
        self._files = Judgement()
        self._changed = asyncio.Event()
        self._published = True

    @property
    def health(self) -> StoreHealth:
        """What is to be said now."""
        return self._health(self._clock.now())

    async def run(self, stop: asyncio.Event) -> None:
        """Probe and publish until stopped; then withdraw."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._probe(stop))
            group.create_task(self._publish(stop))
        await self._hand_over(None)

    def stored(self) -> None:
        """Note that a lane's commit was taken."""
        self._judge(store=self._store.succeeded(self._clock.monotonic()))

    def unavailable(self, error: LyncArchiverError) -> None:
        """Note what held a lane up; it counts where it was the store."""
        if isinstance(error, StoreUnavailable):
            self._judge(store=self._store.failed())

    async def _probe(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            store, files = await asyncio.gather(self._takes(self._stores.store), self._takes(self._stores.files))
            now_s = self._clock.monotonic()
            self._judge(
                store=self._store.succeeded(now_s) if store else self._store.failed(),
                files=self._files.succeeded(now_s) if files else self._files.failed(),
            )
            await unless_stopped(stop, self._clock.sleep(PROBE_S))

    async def _takes(self, probe: StoreProbe) -> bool:
        try:
            async with asyncio.timeout(PROBE_LIMIT_S):
                await probe.write()
        except (LyncArchiverError, TimeoutError):
            return False
        return True

    def _judge(self, *, store: Judgement | None = None, files: Judgement | None = None) -> None:
        before = self._store.condition, self._files.condition
        self._store = store or self._store
        self._files = files or self._files
        if before != (self._store.condition, self._files.condition):
            self._since = self._clock.now()
            self._changed.set()
            self._told.changed(self._health(self._since))

    async def _publish(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._changed.clear()
            await self._hand_over(self.health)
            changed = asyncio.ensure_future(self._changed.wait())
            beat = asyncio.ensure_future(self._clock.sleep(HEARTBEAT_S))
            try:
                await unless_stopped(stop, asyncio.wait({changed, beat}, return_when=asyncio.FIRST_COMPLETED))
            finally:
                changed.cancel()
                beat.cancel()
                await asyncio.gather(changed, beat, return_exceptions=True)

    async def _hand_over(self, health: StoreHealth | None) -> None:
        """Publish; tell once where that does not work, and once where it does again."""
        try:
            await self._publisher.publish(self._archiver, health)
        except LyncArchiverError as error:
            if self._published:
                self._told.unpublished(error)
            self._published = False
        else:
            self._published = True

    def _health(self, at: datetime) -> StoreHealth:
        return StoreHealth(
            archiver=self._archiver,
            store=self._store.condition,
            files=self._files.condition,
            since=self._since,
            at=at,
        )


class WatchedLanes:
    """A `LaneObserver` that tells another, and the reports of the stores' health too."""

    def __init__(self, observer: LaneObserver, reporting: HealthReporting) -> None:
        self._observer = observer
        self._reporting = reporting

    def committed(self, batch: Batch, duration_s: float) -> None:
        self._observer.committed(batch, duration_s)
        self._reporting.stored()

    def delayed(self, lane: LaneId, error: LyncArchiverError) -> None:
        self._observer.delayed(lane, error)
        self._reporting.unavailable(error)

    def halted(self, lane: LaneId, error: BaseException) -> None:
        self._observer.halted(lane, error)
