"""What is left until Kafka drops records that are not archived, and who hears of it."""

import asyncio
import math
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from consumers.batch import LaneId
from consumers.lane import Lane
from deploy.observation import Observation
from deploy.retention import LOOK_S, Headroom, RetentionWatch, headroom, watching
from schemas.errors import DependencyUnavailable, LyncArchiverError, Misconfigured
from tests.builders import CONVERSATIONS, history, message, started
from tests.support.clock import START
from tests.support.lanes import Surroundings, archived, running, surroundings
from tests.support.waiting import await_until

NOW_MS = START.timestamp() * 1000


@pytest.mark.parametrize(
    ("retention_ms", "oldest_ms", "left"),
    [
        (None, NOW_MS - 1000, (None, None)),
        (-1, NOW_MS - 1000, (math.inf, 1.0)),
        (10_000, None, (10.0, 1.0)),
        (10_000, NOW_MS - 8_000, (2.0, 0.2)),
        (10_000, NOW_MS - 12_000, (-2.0, -0.2)),
    ],
)
def test_headroom(retention_ms: int | None, oldest_ms: int | None, left: tuple[float | None, float | None]) -> None:
    """It is the retention less the age of the oldest record that waits; below 0 that record may be gone at any time."""
    assert headroom(retention_ms, oldest_ms, NOW_MS, 7) == Headroom(*left, 7)


class Log:
    """A log that says how long it keeps its records."""

    def __init__(self, around: Surroundings, retention: Mapping[str, int]) -> None:
        self._around = around
        self._retention = retention

    async def bounds(self, lane: LaneId) -> tuple[int, int]:
        return await self._around.source.bounds(lane)

    async def retention_ms(self, topics: list[str]) -> Mapping[str, int]:
        return {topic: self._retention[topic] for topic in topics if topic in self._retention}


def gauge(observation: Observation, name: str) -> float | None:
    labels = {"topic": CONVERSATIONS.topic, "partition": str(CONVERSATIONS.partition)}
    return observation.registry.get_sample_value(f"lync_retention_headroom_{name}", labels)


async def test_what_waits_is_told_until_it_is_archived() -> None:
    """A lane whose commits are held up comes closer to losing its records; archived, they no longer count."""
    around = surroundings(history(started(), message()))
    oldest_ms = history(started())[0].timestamp_ms
    around.store.gate.clear()
    observation = Observation()
    lanes: list[Lane] = []
    log = Log(around, {CONVERSATIONS.topic: 100_000})
    watch = RetentionWatch(lambda: lanes, log, observation, around.clock, 0.2)
    async with running(around) as lane:
        lanes.append(lane)
        await around.store.entered.wait()
        around.clock.advance(oldest_ms / 1000 + 90 - around.clock.now().timestamp())
        with capture_logs() as said:
            await watch.look()
            await watch.look()
        assert [line["action"] for line in said] == ["retention-close"]
        assert gauge(observation, "ratio") == pytest.approx(0.1)
        around.store.gate.set()
        await archived(around)
        await await_until(lambda: lane.oldest_waiting_ms is None, limit_s=10)
        await watch.look()
        assert (gauge(observation, "seconds"), gauge(observation, "offsets")) == (100.0, 2.0)


async def test_a_retention_that_may_not_be_asked_is_said_to_be_unknown() -> None:
    """No number is made up: there is no sample, and one line says so once."""
    around = surroundings(history(started()))
    observation = Observation()
    async with running(around) as lane:
        await archived(around)
        watch = RetentionWatch(lambda: [lane], Log(around, {}), observation, around.clock, 0.2)
        with capture_logs() as said:
            await watch.look()
            await watch.look()
    assert [line["action"] for line in said] == ["retention-unknown"]
    assert gauge(observation, "seconds") is None
    assert gauge(observation, "offsets") == 1.0


class FailingLog(Log):
    """A log that answers with an error once."""

    def __init__(self, around: Surroundings, error: LyncArchiverError) -> None:
        super().__init__(around, {CONVERSATIONS.topic: 100_000})
        self._error: LyncArchiverError | None = error

    async def retention_ms(self, topics: list[str]) -> Mapping[str, int]:
        error, self._error = self._error, None
        if error is not None:
            raise error
        return await super().retention_ms(topics)


@pytest.mark.parametrize("error", [DependencyUnavailable("away"), Misconfigured("refused")])
async def test_a_look_that_fails_ends_neither_the_watch_nor_the_process(error: LyncArchiverError) -> None:
    """Credentials that Kafka does not take for a while leave no number behind that stands for ever."""
    around = surroundings(history(started()))
    observation = Observation()
    async with running(around) as lane:
        await archived(around)
        watch = RetentionWatch(lambda: [lane], FailingLog(around, error), observation, around.clock, 0.2)
        async with watching(watch):
            await asyncio.wait_for(around.clock.asleep(), 10)
            assert gauge(observation, "seconds") is None
            around.clock.advance(LOOK_S)
            await await_until(lambda: gauge(observation, "seconds") is not None, limit_s=10)
