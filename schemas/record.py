"""A Kafka record as plain data: what a topic, a recording and the quarantine have in common."""

from typing import NamedTuple

Headers = tuple[tuple[str, bytes | None], ...]


class Record(NamedTuple):
    """One Kafka record, byte for byte. `partition` and `offset` are -1 where the record is not in Kafka yet.

    `timestamp_ms` is Unix time in milliseconds; `key` and `value` are None where Kafka holds a null. Header names
    may repeat and keep their order; a header's value may be null.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    headers: Headers
    value: bytes | None
