"""What the Lync side needs of the hand-over log. Nothing of Kafka's client appears here."""

from collections.abc import AsyncIterable
from pathlib import Path
from typing import BinaryIO, Protocol

from producers.health_view import Outage
from schemas.errors import Cause, LyncArchiverError
from schemas.events import ContentReference
from schemas.record import Record


class UploadRefused(LyncArchiverError):
    """A file will never be taken as it is, for this cause."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause


class PublishRefused(LyncArchiverError):
    """The log will never take a record as it is; `number` is its place among the records published, from 1."""

    def __init__(self, number: int, record: Record, reason: str) -> None:
        place = f" (offset {record.offset} of {record.topic}/{record.partition})" if record.offset >= 0 else ""
        super().__init__(f"record {number}{place} was refused by {record.topic}: {reason}")
        self.number = number
        self.record = record
        self.reason = reason


class Publisher(Protocol):
    """Hands records to the log."""

    async def publish(self, records: AsyncIterable[Record]) -> int:
        """Hand over every record and return how many the log has confirmed: all of them.

        Each record keeps its key, value, headers and timestamp, byte for byte, and its partition where the topic has
        that one; otherwise its key decides. Records of one partition, so of one key, keep their order, and none is
        there twice for having been sent again. What was handed over before an error may be in the log.

        Raises:
            PublishRefused: a record is too large, or its time is one that the topic does not take.
            Misconfigured: a topic does not exist, or the credentials do not do.
            DependencyUnavailable: no broker answers, or none confirms within a limit.
        """


class HealthSource(Protocol):
    """What is heard of the archive's stores."""

    def outage(self) -> Outage:
        """Return what fails now by what was heard so far, without waiting; where nothing is heard, all fails."""


class ContentSink(Protocol):
    """Takes the files that events refer to, each before its event is published."""

    async def put(
        self, source: Path | BinaryIO, name: str, media_type: str, content_id: str | None = None
    ) -> ContentReference:
        """Store what the source holds and return the reference to it, named `content_id`, by default after its digest.

        Durable on return. The same bytes are stored once, under whatever names they come; putting them again changes
        nothing but that they are safe from the sweep for another grace period. Memory is bounded, whatever the size.

        Raises:
            UploadRefused: it has more bytes than a meeting takes.
            Misconfigured: the source cannot be read, or the credentials do not do.
            DependencyUnavailable: the store cannot be written now.
        """
