"""Puts records into an episode's topics, and says how many are there; knows how far the archive is."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from producers.kafka_publisher import KafkaPublisher
from producers.kafka_recorder import KafkaRecorder
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.errors import DependencyUnavailable
from schemas.login import ADMIN, PRODUCER
from schemas.record import Record
from tests.fault.harness.ground import Ground

PUBLISH_LIMIT_S: Final = 60.0
LOOK_LIMIT_MS: Final = 1_000
_RETRY_S: Final = 0.2


class Feed:
    """Publishes and counts; `published` is never more than what is in Kafka."""

    def __init__(self, ground: Ground, topics: Topics) -> None:
        self._ground = ground
        self._topics = topics
        self._clock = SystemClock()
        self.published = 0

    async def publish(self, records: Sequence[Record]) -> None:
        """Publish; a broker that has just started may need a while, and what was half done is done again."""
        limit = self._clock.monotonic() + PUBLISH_LIMIT_S
        again = False
        while True:
            try:
                await self._publish(records)
                break
            except DependencyUnavailable:
                if self._clock.monotonic() > limit:
                    raise
                again = True
                await self._clock.sleep(_RETRY_S)
        self.published = len(await self.history()) if again else self.published + len(records)

    async def _publish(self, records: Sequence[Record]) -> None:
        stack = self._ground.stack
        async with KafkaPublisher(stack.bootstrap, stack.login(PRODUCER)) as publisher:
            await publisher.publish(_each(records))

    async def history(self) -> list[Record]:
        """Return everything in the topics that are archived, partition by partition in Kafka's order."""
        stack = self._ground.stack
        names = (self._topics.conversations, self._topics.conferences)
        async with KafkaRecorder(stack.bootstrap, names, self._clock, stack.login(ADMIN)) as recorder:
            return [record async for record in recorder.history()]


class Progress:
    """How far the lanes are, by their checkpoints; a lane that falls back is kept in `falls` (I4)."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
        self._checkpoints = client[database]["checkpoints"]
        self._next: dict[str, int] = {}
        self.falls: list[str] = []

    async def archived(self) -> int:
        """Return how many records are behind the checkpoints, as last known where mongod does not say now."""
        try:
            found = await self._checkpoints.find().to_list(None)
        except PyMongoError:
            found = []
        for document in found:
            lane, following = document["_id"], document["next"]
            if following < self._next.get(lane, 0):
                self.falls.append(f"{lane} fell from {self._next[lane]} to {following}")
            self._next[lane] = following
        return sum(self._next.values())


def looking(uri: str) -> AsyncMongoClient[dict[str, Any]]:
    """Return a client that looks at what is committed for good, and does not wait for long."""
    return AsyncMongoClient(uri, readConcernLevel="majority", timeoutMS=LOOK_LIMIT_MS)


async def _each(records: Sequence[Record]) -> AsyncIterator[Record]:
    for record in records:
        yield record
