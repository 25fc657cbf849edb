"""How the archive's stores are: what an archiver says of them, as a record of a compacted topic.

Each archiver has one key, and its newest record counts. A record without a value takes back what it said: it has left.
"""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, StringConstraints, ValidationError

from schemas.errors import Cause, MalformedRecord
from schemas.events import Contract
from schemas.record import Record

HEALTH_TYPE: Final = "lync.store.health.v1"
"""The CloudEvents type."""

HEALTH_TOPIC: Final = "lync.health"
"""The topic's default name."""

HEARTBEAT_S: Final = 2.0
"""How often an archiver says how its stores are, changed or not."""

SILENCE_S: Final = 10.0
"""An archiver that has not been heard for so long counts as dead: a few heartbeats may be late before."""

ArchiverName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,254}$")]
"""One process of the archiver, unlike any other that ever was."""


class Condition(StrEnum):
    """Whether a store takes what is to be kept."""

    OK = "ok"
    FAILING = "failing"


class StoreHealth(Contract):
    """What one archiver says of its stores.

    `store` keeps conversations and what people wrote in them, `files` what they uploaded. `since` is when either of
    them changed last, `at` when this was said.
    """

    archiver: ArchiverName
    store: Condition
    files: Condition
    since: AwareDatetime
    at: AwareDatetime


def health_record(health: StoreHealth, topic: str) -> Record:
    """Return the report as a record in CloudEvents' binary mode, keyed by the archiver."""
    at = health.at.isoformat()
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{health.archiver}/{at}".encode()),
        ("ce_source", health.archiver.encode()),
        ("ce_type", HEALTH_TYPE.encode()),
        ("ce_time", at.encode()),
        ("content-type", b"application/json"),
    )
    stamp_ms = int(health.at.timestamp() * 1000)
    return Record(topic, -1, -1, stamp_ms, health.archiver.encode(), headers, health.model_dump_json().encode())


def withdrawal(archiver: str, topic: str, timestamp_ms: int) -> Record:
    """Return the record by which an archiver that leaves takes back what it said."""
    return Record(topic, -1, -1, timestamp_ms, archiver.encode(), (), None)


def health_of(record: Record) -> StoreHealth | None:
    """Return what a record says, None for a withdrawal. Raises MalformedRecord where it is no report of its key's."""
    if record.value is None:
        return None
    if dict(record.headers).get("ce_type") != HEALTH_TYPE.encode():
        raise MalformedRecord(Cause.UNKNOWN_TYPE, "the record is no report of a store's health")
    try:
        health = StoreHealth.model_validate_json(record.value)
    except ValidationError as error:
        raise MalformedRecord(Cause.SCHEMA_MISMATCH, "the report does not fit its model") from error
    if record.key != health.archiver.encode():
        raise MalformedRecord(Cause.KEY_MISMATCH, "the report is not its key's")
    return health
