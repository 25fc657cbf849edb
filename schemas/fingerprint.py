"""A record's fingerprint: the same for the same bytes, wherever in Kafka they are."""

import hashlib

from schemas.record import Record, name_bytes


def fingerprint(record: Record) -> bytes:
    """Return SHA-256 over topic, key, headers and value, each behind its length; a null has none."""
    digest = hashlib.sha256()
    for part in (record.topic.encode(), record.key, *_parts(record), record.value):
        digest.update(b"-" if part is None else b"%d:" % len(part))
        digest.update(part or b"")
    return digest.digest()


def _parts(record: Record) -> list[bytes | None]:
    return [part for name, value in record.headers for part in (name_bytes(name), value)]
