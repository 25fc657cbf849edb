"""Composition of the health reports: an archiver's stores probed and published for as long as it runs."""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

from consumers.health_reporting import HealthReporting, Stores, WatchedLanes
from consumers.kafka_health import KafkaHealthPublisher
from consumers.mongo.layout import Database
from consumers.mongo.probe import MongoProbe
from deploy.observation import Observation
from deploy.settings import Settings, kafka_bootstrap
from schemas.clock import Clock
from schemas.login import KafkaLogin

_HOST_CHARS_MAX: Final = 200


@asynccontextmanager
async def reporting_health(
    settings: Settings,
    database: Database,
    contents: Database,
    observation: Observation,
    clock: Clock,
    login: KafkaLogin,
) -> AsyncIterator[WatchedLanes]:
    """Report how the stores are while the block runs, and withdraw at its end; provide the lanes' observer.

    `contents` is the database of what people upload.
    """
    publisher = KafkaHealthPublisher(kafka_bootstrap(settings), settings.kafka.health_topic, clock, login)
    stores = Stores(MongoProbe(database), MongoProbe(contents))
    reporting = HealthReporting(archiver_name(), stores, publisher, observation, clock)
    stop = asyncio.Event()
    running = asyncio.create_task(reporting.run(stop), name="health reports")
    try:
        yield WatchedLanes(observation, reporting)
    finally:
        stop.set()
        try:
            await running
        finally:
            await publisher.close()


def archiver_name() -> str:
    """Return a name that no other process has, nor will have: host, process id, and something drawn."""
    host = re.sub(r"[^0-9A-Za-z.-]", "-", socket.gethostname())[:_HOST_CHARS_MAX].strip(".-") or "archiver"
    return f"{host}-{os.getpid()}-{uuid4().hex[:8]}"
