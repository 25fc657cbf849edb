"""What an archiver process tells of itself: a log line a batch, and metrics for Prometheus."""

import gc
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from consumers.archiver import Archiver
from consumers.batch import Batch, Counts, LaneId
from deploy.retention import Headroom
from schemas.errors import LyncArchiverError
from schemas.health import Condition, StoreHealth

COMMIT_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""From one journaled majority write on a local disk to the limit of one round trip."""

COLLECTED_QUARANTINE: Final = 100
"""Refusals of a batch after which young garbage is collected: theirs is in cycles, and would wait for long."""


class Observation:
    """The `LaneObserver` and `HealthObserver` of a process, and its counts since the start."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.registry = CollectorRegistry()
        self._log = structlog.get_logger()
        labels = ("topic", "partition")
        self._records = Counter("lync_records", "Records by outcome.", (*labels, "outcome"), registry=self.registry)
        self._causes = Counter("lync_quarantined", "Quarantined records by cause.", ("cause",), registry=self.registry)
        self._batches = Counter("lync_batches", "Committed batches.", labels, registry=self.registry)
        self._delays = Counter("lync_delays", "Steps to be tried again, by error.", ("error",), registry=self.registry)
        self._halts = Gauge("lync_lanes_halted", "Lanes that stopped for good.", registry=self.registry)
        self._lanes = Gauge("lync_lanes", "Lanes of this process.", registry=self.registry)
        self._failing = Gauge(
            "lync_store_failing", "1 while a store takes nothing.", ("store",), registry=self.registry
        )
        self._lag = Gauge(
            "lync_lag_records", "Records behind the end of the partition.", labels, registry=self.registry
        )
        self._close: set[LaneId] = set()
        self._unknown: set[str] = set()
        self._left_s = Gauge(
            "lync_retention_headroom_seconds", "Until Kafka drops what waits.", labels, registry=self.registry
        )
        self._left_ratio = Gauge(
            "lync_retention_headroom_ratio", "The same as a share of the retention.", labels, registry=self.registry
        )
        self._left_offsets = Gauge(
            "lync_retention_headroom_offsets", "Offsets from the log's start on.", labels, registry=self.registry
        )
        self._commits = Histogram(
            "lync_commit_seconds", "Time of one commit.", registry=self.registry, buckets=COMMIT_BUCKETS_S
        )

    def committed(self, batch: Batch, duration_s: float) -> None:
        topic, partition = batch.lane
        self.counts = Counts(*map(sum, zip(self.counts, batch.counts, strict=True)))
        for outcome, count in batch.counts._asdict().items():
            self._records.labels(topic, partition, outcome).inc(count)
        self._batches.labels(topic, partition).inc()
        self._commits.observe(duration_s)
        self._log.info(
            "batch committed",
            action="batch-committed",
            lane=str(batch.lane),
            start=batch.start,
            end=batch.end,
            duration_s=round(duration_s, 4),
            **batch.counts._asdict(),
        )
        if len(batch.quarantine) >= COLLECTED_QUARANTINE:
            gc.collect(1)
        for entry in batch.quarantine:
            self._causes.labels(entry.cause).inc()
            self._log.warning(
                "record quarantined",
                action="record-quarantined",
                lane=str(batch.lane),
                offset=entry.record.offset,
                cause=str(entry.cause),
                detail=entry.detail,
            )

    def delayed(self, lane: LaneId, error: LyncArchiverError) -> None:
        self._delays.labels(type(error).__name__).inc()
        self._log.warning("lane delayed", action="lane-delayed", lane=str(lane), reason=str(error))

    def halted(self, lane: LaneId, error: BaseException) -> None:
        # Of a bug the type alone: what its message repeats is not known.
        reason = str(error) if isinstance(error, LyncArchiverError) else type(error).__name__
        self._log.error("lane halted", action="lane-halted", lane=str(lane), reason=reason)

    def headrooms(self, found: Mapping[LaneId, Headroom], limit: float) -> None:
        for gauge in (self._left_s, self._left_ratio, self._left_offsets):
            gauge.clear()  # lanes that went to another process are told there
        for lane, left in found.items():
            self._left_offsets.labels(*lane).set(left.offsets)
            if left.seconds is None or left.ratio is None:
                self._say_unknown(lane.topic)
                continue
            self._left_s.labels(*lane).set(left.seconds)
            self._left_ratio.labels(*lane).set(left.ratio)
            if left.ratio >= limit:
                self._close.discard(lane)
            elif lane not in self._close:
                self._close.add(lane)
                left_s = round(left.seconds, 1)
                self._log.warning("retention close", action="retention-close", lane=str(lane), left_s=left_s)

    def _say_unknown(self, topic: str) -> None:
        if topic not in self._unknown:
            self._unknown.add(topic)
            self._log.warning("retention unknown", action="retention-unknown", topic=topic)

    def changed(self, health: StoreHealth) -> None:
        failing = {"store": health.store is Condition.FAILING, "files": health.files is Condition.FAILING}
        for store, fails in failing.items():
            self._failing.labels(store).set(fails)
        log, action = (self._log.error, "store-failing") if any(failing.values()) else (self._log.info, "store-well")
        said = {"store": str(health.store), "files": str(health.files), "since": health.since.isoformat()}
        log("stores' health changed", action=action, **said)

    def unpublished(self, error: LyncArchiverError) -> None:
        self._log.warning("health not published", action="health-unpublished", reason=str(error))

    def sample(self, archiver: Archiver, lag: Callable[[LaneId, int], int]) -> None:
        """Set the gauges from the lanes as they are now."""
        lanes = archiver.lanes
        self._lanes.set(len(lanes))
        self._halts.set(len(archiver.halted))
        for lane in lanes:
            if lane.position is not None:
                self._lag.labels(lane.id.topic, lane.id.partition).set(lag(lane.id, lane.position.next))
