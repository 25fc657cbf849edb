"""Long runs with short tokens: sessions end, clients log in again, and nothing is lost, doubled or out of order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import pytest

from consumers.batch import LaneId
from consumers.kafka_source import KafkaSource
from producers import kafka_publisher
from producers.kafka_publisher import KafkaPublisher
from producers.kafka_recorder import KafkaRecorder
from producers.pacing import paced
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.errors import DependencyUnavailable, Misconfigured
from schemas.login import ARCHIVER, PRODUCER, KafkaLogin
from schemas.record import Record
from tests.conftest import StackAddresses
from tests.support.issuer import Issuer, Tokens
from tests.support.waiting import await_until

LIFE_S: Final = 3
"""A token's life, and so a session's: the broker ends it with the token."""

PACE_MS: Final = 1
"""The time between two records."""

LIVES: Final = 4
"""Sessions that a client must have outlived."""

LIMIT_S: Final = 60.0

SLOW: Final = 0.05
"""A pace at which a publisher's window would take minutes to fill."""

SECONDS: Final = 30.0
"""What an end "in seconds" may take on a busy machine."""


def numbered(topic: str) -> Sequence[Record]:
    """Records of one partition each in turn, `PACE_MS` apart, more than any test takes."""
    return [
        Record(topic, number % 4, -1, 1_700_000_000_000 + number * PACE_MS, b"k", (), b"%d" % number)
        for number in range(60_000)
    ]


class Flow:
    """Records as they are published, until there were enough of them."""

    def __init__(self, topic: str, speed: float = 1.0) -> None:
        self._speed = speed
        self.sent: list[Record] = []
        self.enough = asyncio.Event()
        self._records = numbered(topic)

    async def records(self) -> AsyncIterator[Record]:
        async for record in paced(iter(self._records), self._speed, SystemClock()):
            if self.enough.is_set():
                return
            self.sent.append(record)
            yield record


class Reading:
    """What a group member reads, and how often its partitions were given to it."""

    def __init__(self, source: KafkaSource) -> None:
        self.source = source
        self.lanes: list[LaneId] = []
        self.given = asyncio.Event()
        self.assignments = 0
        self.values: dict[int, list[bytes]] = {}
        self.troubles: list[str] = []

    async def _assigned(self, lanes: Sequence[LaneId]) -> None:
        self.assignments += 1
        self.lanes = list(lanes)
        self.given.set()
        for lane in lanes:
            self.source.seek(lane, len(self.values.get(lane.partition, ())))

    async def _revoked(self, _lanes: Sequence[LaneId]) -> None:
        self.given.clear()

    async def run(self) -> None:
        """Read until cancelled; what a lane would wait for is noted."""
        self.source.join(self._assigned, self._revoked)
        while True:
            await self.given.wait()
            await asyncio.gather(*map(self._read, self.lanes))

    async def _read(self, lane: LaneId) -> None:
        held = self.values.setdefault(lane.partition, [])
        try:
            for record in await self.source.fetch(lane, 100):
                assert record.offset == len(held), "a record was lost or came twice"
                assert record.value is not None
                held.append(record.value)
        except DependencyUnavailable as error:
            self.troubles.append(str(error))

    @property
    def count(self) -> int:
        return sum(map(len, self.values.values()))


@asynccontextmanager
async def reading(stack: StackAddresses, topic: str, login: KafkaLogin) -> AsyncIterator[Reading]:
    source = KafkaSource(stack.bootstrap, f"{topic}-group", [topic], 30, login)
    await source.start()
    member = Reading(source)
    run = asyncio.create_task(member.run())
    try:
        yield member
    finally:
        run.cancel()
        await asyncio.wait([run])
        await source.close()
    if not run.cancelled():
        run.result()


def assert_all_came_once_in_order(member: Reading, sent: Sequence[Record]) -> None:
    for partition in range(4):
        expected = [record.value for record in sent if record.partition == partition]
        assert member.values[partition] == expected


async def test_publisher_and_group_outlive_their_tokens(stack: StackAddresses, issuer: Issuer, topics: Topics) -> None:
    """Over several sessions every record is published once, read once and in order, in one membership."""
    writer, reader = Tokens(issuer, PRODUCER, LIFE_S), Tokens(issuer, ARCHIVER, LIFE_S)
    flow = Flow(topics.contacts)
    async with (
        reading(stack, topics.contacts, KafkaLogin(ARCHIVER, reader)) as member,
        KafkaPublisher(stack.bootstrap, KafkaLogin(PRODUCER, writer)) as publisher,
    ):
        at_start = writer.given, reader.given
        publishing = asyncio.create_task(publisher.publish(flow.records()))
        await await_until(
            lambda: writer.given >= at_start[0] + LIVES and reader.given >= at_start[1] + 2 * LIVES, LIMIT_S
        )
        flow.enough.set()
        assert await publishing == len(flow.sent)
        await await_until(lambda: member.count >= len(flow.sent), LIMIT_S)
    assert_all_came_once_in_order(member, flow.sent)
    assert (member.assignments, member.troubles) == (1, [])


async def test_a_recorder_outlives_its_tokens(stack: StackAddresses, issuer: Issuer, topics: Topics) -> None:
    """Following goes on over several sessions, with every record once."""
    reader = Tokens(issuer, ARCHIVER, LIFE_S)
    flow = Flow(topics.contacts)
    seen: list[bytes | None] = []
    async with (
        KafkaRecorder(stack.bootstrap, [topics.contacts], SystemClock(), KafkaLogin(ARCHIVER, reader)) as recorder,
        KafkaPublisher(stack.bootstrap, stack.login(PRODUCER)) as publisher,
    ):
        at_start = reader.given
        publishing = asyncio.create_task(publisher.publish(flow.records()))
        async for record in recorder.follow():
            seen.append(record.value)
            if reader.given >= at_start + LIVES:
                flow.enough.set()
            if flow.enough.is_set() and len(seen) >= len(flow.sent):
                break
        await publishing
    assert sorted(map(int, filter(None, seen))) == list(range(len(flow.sent)))


async def test_tokens_refused_in_mid_run_are_told_and_lose_nothing(
    stack: StackAddresses, issuer: Issuer, topics: Topics
) -> None:
    """While tokens are refused both sides wait, and the reader says why; then both go on as if nothing had been."""
    writer, reader = Tokens(issuer, PRODUCER, LIFE_S), Tokens(issuer, ARCHIVER, LIFE_S)
    flow = Flow(topics.contacts)
    async with (
        reading(stack, topics.contacts, KafkaLogin(ARCHIVER, reader)) as member,
        KafkaPublisher(stack.bootstrap, KafkaLogin(PRODUCER, writer)) as publisher,
    ):
        publishing = asyncio.create_task(publisher.publish(flow.records()))
        await await_until(lambda: member.count > 100, LIMIT_S)
        writer.forged = reader.forged = issuer.signed(issuer.claims(PRODUCER, -60))
        await await_until(lambda: bool(member.troubles) and writer.forgeries > 2, LIMIT_S)
        assert not publishing.done()
        writer.forged = reader.forged = None
        stopped_at = member.count
        await await_until(lambda: member.count > stopped_at + 100, LIMIT_S)
        flow.enough.set()
        assert await publishing == len(flow.sent)
        await await_until(lambda: member.count >= len(flow.sent), LIMIT_S)
    assert_all_came_once_in_order(member, flow.sent)
    assert all("refused the token of lync-archiver: invalid_token" in trouble for trouble in member.troubles)


async def test_a_publisher_whose_tokens_stay_refused_says_so(
    stack: StackAddresses, issuer: Issuer, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time that a record may wait, publishing ends with the broker's word and not with a time-out's."""
    monkeypatch.setattr(kafka_publisher, "DELIVERY_LIMIT_S", 3.0)
    writer = Tokens(issuer, PRODUCER, LIFE_S)
    clock = SystemClock()
    with pytest.raises(DependencyUnavailable, match="refused the token of lync-producer: invalid_token"):  # noqa: PT012
        async with KafkaPublisher(stack.bootstrap, KafkaLogin(PRODUCER, writer)) as publisher:
            publishing = asyncio.create_task(publisher.publish(Flow(topics.contacts, SLOW).records()))
            await await_until(lambda: bool(publisher._window), LIMIT_S)
            writer.forged = issuer.signed(issuer.claims(PRODUCER, -60))
            begun = clock.monotonic()
            await publishing
    assert clock.monotonic() - begun < SECONDS


@pytest.mark.parametrize("error", [DependencyUnavailable("the issuer is away"), Misconfigured("we are unknown")])
async def test_an_issuer_that_fails_in_mid_run_is_told_and_loses_nothing(
    stack: StackAddresses, issuer: Issuer, topics: Topics, error: DependencyUnavailable | Misconfigured
) -> None:
    """An issuer that is away for longer than a token's life holds reading up, with its own words, and no longer."""
    reader = Tokens(issuer, ARCHIVER, LIFE_S)
    flow = Flow(topics.contacts)
    async with (
        reading(stack, topics.contacts, KafkaLogin(ARCHIVER, reader)) as member,
        KafkaPublisher(stack.bootstrap, stack.login(PRODUCER)) as publisher,
    ):
        publishing = asyncio.create_task(publisher.publish(flow.records()))
        await await_until(lambda: member.count > 100, LIMIT_S)
        reader.error = error
        await await_until(lambda: str(error) in member.troubles, LIMIT_S)
        reader.error = None
        flow.enough.set()
        await publishing
        await await_until(lambda: member.count >= len(flow.sent), LIMIT_S)
    assert_all_came_once_in_order(member, flow.sent)
