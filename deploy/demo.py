"""The demonstration: a small organisation, simulated live, archived as it happens, shown and verified."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from consumers.batch import Counts
from consumers.reading import FolderCount, Mailbox
from deploy.archiving import archive
from deploy.export import item_document
from deploy.kafka_login import kafka_login
from deploy.reading import reading
from deploy.settings import Settings, load_settings
from deploy.stack.local import RunningStack, local_stack
from deploy.trust import introduce_issuer
from deploy.verification.comparison import Verdict
from deploy.verification.run import verify
from producers.kafka_publisher import KafkaPublisher
from producers.pacing import paced
from producers.recording import Recording, RecordingWriter
from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.login import PRODUCER
from schemas.record import Record

USERS: Final = 40
HOURS: Final = 1.0
SEED: Final = 2013
SPEED: Final = 300.0
"""An hour of the organisation in twelve seconds."""

FOLDER: Final = "demo"
GROUP: Final = "demo"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demonstration has to show."""

    published: int
    publish_s: float
    counts: Counts
    archive_s: float
    mailboxes: list[tuple[Mailbox, list[FolderCount]]]
    transcript: dict[str, Any] | None
    verdict: Verdict


async def demonstrate(settings: Settings) -> Shown:
    """Run it on a fresh stack of its own, which is gone afterwards; its data stays to be looked at."""
    data = settings.stack.data / FOLDER
    shutil.rmtree(data, ignore_errors=True)
    async with local_stack(data, group=GROUP) as stack:
        own = _settings(stack)
        await introduce_issuer(own)
        return await _run(own, data / "demo.jsonl.gz")


def _settings(stack: RunningStack) -> Settings:
    return load_settings(
        kafka={"bootstrap": stack.bootstrap, "group": GROUP},
        mongodb={"uri": stack.mongodb_uri, "database": "lync_demo"},
        issuer={"url": stack.issuer, "folder": stack.data / "issuer"},
    )


async def _run(settings: Settings, file: Path) -> Shown:
    stop = asyncio.Event()
    started = time.monotonic()
    live = asyncio.create_task(archive(settings, until_caught_up=False, stop=stop))
    try:
        published = await _publish(settings, file)
        publish_s = time.monotonic() - started
    finally:
        stop.set()
        counts = await live
    rest = await archive(settings, until_caught_up=True, stop=asyncio.Event())
    archive_s = time.monotonic() - started
    mailboxes, transcript = await _look(settings)
    verdict = await verify(Recording(file).read(), settings)
    total = Counts(*map(sum, zip(counts, rest, strict=True)))
    return Shown(published, publish_s, total, archive_s, mailboxes, transcript, verdict)


async def _publish(settings: Settings, file: Path) -> int:
    topics = Topics(settings.kafka.conversations_topic, settings.kafka.conferences_topic)
    assert settings.kafka.bootstrap is not None
    with Recording(file).writer() as writer:
        records = _kept(simulate(USERS, HOURS, SEED, topics), writer)
        async with (
            kafka_login(settings, PRODUCER) as login,
            KafkaPublisher(settings.kafka.bootstrap, login) as publisher,
        ):
            return await publisher.publish(_live(records))


def _kept(records: Iterator[Record], writer: RecordingWriter) -> Iterator[Record]:
    for record in records:
        writer.write(record)
        yield record


def _live(records: Iterator[Record]) -> AsyncIterator[Record]:
    return paced(records, SPEED, SystemClock())


async def _look(settings: Settings) -> tuple[list[tuple[Mailbox, list[FolderCount]]], dict[str, Any] | None]:
    """Return all mailboxes with their folders, and a conference of moderate length as somebody reads it."""
    best: dict[str, Any] | None = None
    async with reading(settings) as reader:
        mailboxes = [(mailbox, list(await reader.folders(mailbox.user))) async for mailbox in reader.mailboxes()]
        for mailbox, _ in mailboxes[:TRANSCRIPT_MAILBOXES]:
            async for listed in reader.all_items(mailbox.user):
                document = await item_document(reader, listed)
                if best is None or _interest(document) > _interest(best):
                    best = document
    return mailboxes, best


TRANSCRIPT_MAILBOXES: Final = 5
"""Mailboxes that are searched for a transcript worth showing."""

TRANSCRIPT_LINES: Final = 16
"""A transcript that fits a screen."""


def _interest(document: dict[str, Any]) -> tuple[bool, int, int]:
    lines = len(document["entries"])
    messages = sum(1 for entry in document["entries"] if entry["kind"] == "message")
    return lines <= TRANSCRIPT_LINES, min(messages, 6), lines
