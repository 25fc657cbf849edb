"""A Kafka record as plain data: what a topic, a recording and the quarantine have in common."""

from typing import NamedTuple

Headers = tuple[tuple[str, bytes | None], ...]


class Record(NamedTuple):
    """One Kafka record, byte for byte. `partition` and `offset` are -1 where the record is not in Kafka yet.

    `timestamp_ms` is Unix time in milliseconds; `key` and `value` are None where Kafka holds a null. Header names
    may repeat and keep their order; a header's value may be null. A name's bytes that are not UTF-8 are lone
    surrogates in it (PEP 383), which `header_name` and `name_bytes` turn into each other.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    headers: Headers
    value: bytes | None


def header_name(name: bytes) -> str:
    """Return a header's name as text, whatever its bytes are."""
    return name.decode(errors="surrogateescape")


def name_bytes(name: str) -> bytes:
    """Return a header's name as it is in Kafka."""
    return name.encode(errors="surrogateescape")


def is_text(name: str) -> bool:
    """Return whether a header's name is UTF-8 in Kafka, as the protocol wants it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
