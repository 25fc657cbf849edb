"""Composition of critical mode on the Lync side: the gate between what happens and Kafka, and who is told of it."""

from collections import Counter
from collections.abc import AsyncIterable
from pathlib import Path
from typing import NamedTuple

import structlog
from pydantic import TypeAdapter, ValidationError

from deploy.errors import InvalidPolicy
from deploy.kafka_login import kafka_login
from deploy.settings import Settings, kafka_bootstrap
from producers.gate import CriticalMode, Refusal
from producers.gated import gated
from producers.health_view import Outage
from producers.kafka_health import KafkaHealthSource
from producers.kafka_publisher import KafkaPublisher
from schemas.clock import SystemClock
from schemas.envelope import Event
from schemas.identifiers import SipAddress
from schemas.login import PRODUCER
from schemas.record import Record


class Accepted(NamedTuple):
    """How many records Kafka has, and how many were refused, by reason."""

    records: int
    refused: dict[str, int]


async def publish_critically(settings: Settings, records: AsyncIterable[Record], mode: CriticalMode) -> Accepted:
    """Publish what critical mode accepts as each record comes; count the rest. Raises what the publisher raises."""
    bootstrap, told = kafka_bootstrap(settings), GateLog()
    async with (
        kafka_login(settings, PRODUCER) as login,
        KafkaHealthSource(bootstrap, settings.kafka.health_topic, SystemClock(), login) as source,
        KafkaPublisher(bootstrap, login) as publisher,
    ):
        count = await publisher.publish(gated(records, mode, source, told))
    return Accepted(count, told.counts)


class GateLog:
    """The `GateObserver` that logs and counts; of an event its ids alone."""

    def __init__(self) -> None:
        self._refused: Counter[str] = Counter()
        self._log = structlog.get_logger()

    @property
    def counts(self) -> dict[str, int]:
        """How many events were refused, by reason."""
        return dict(self._refused)

    def changed(self, outage: Outage) -> None:
        if outage.store or outage.files:
            self._log.warning("critical mode holds", action="critical-began", **outage._asdict())
        else:
            self._log.info("critical mode is over", action="critical-ended", refused=self._refused.total())

    def refused(self, event: Event, why: Refusal) -> None:
        self._refused[str(why)] += 1
        self._log.info(
            "not accepted",
            action="event-refused",
            reason=str(why),
            conversation=event.data.conversation,
            type=str(event.type),
        )


def archived_users(file: Path) -> frozenset[str]:
    """Read SIP addresses, one a line, as `policy archived` prints them. Raises InvalidPolicy."""
    try:
        lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidPolicy(f"{file} cannot be read as a list of users") from error
    try:
        found = {number: line.strip() for number, line in lines if line.strip()}
        return frozenset(TypeAdapter(dict[int, SipAddress]).validate_python(found).values())
    except ValidationError as error:
        number = error.errors()[0]["loc"][0]
        raise InvalidPolicy(f"line {number} of {file} is no SIP address like sip:alice@contoso.example") from None
