"""Reading from Kafka whatever a partition holds, with the client's connection and its rules on transactions.

The client takes a header's name for UTF-8, and a record for where it says it is. The broker looks at neither.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import attrgetter, eq
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException, KafkaError, LeaderNotAvailableError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords

from schemas.record import Record
from schemas.record_batch import BatchDamaged, BatchedRecord, batched_records, split_batches, true_offsets

UNREADABLE: Final = (UnicodeDecodeError, CorruptRecordException)
"""What the client's reader raises: it is compiled, or else in Python, which calls any such batch corrupt."""


def follow(records: Sequence[Any], start: int, end: int) -> bool:
    """Return whether records that the client gave fill the offsets from `start` to `end`, each in its place.

    Where they do not, there are aborted transactions, markers or compaction, or a producer lied: `read_batches` tells.
    """
    return len(records) == end - start and all(map(eq, map(_OFFSET, records), range(start, end)))


async def read_batches(
    consumer: AIOKafkaConsumer, partition: TopicPartition, fetch_bytes: int, records_max: int
) -> list[Record]:
    """Return the next records of a partition, at their true offsets, and move its position behind them.

    Header names are as in `schemas/record.py`. Raises KafkaError where they cannot be had, `CorruptRecordException`
    where they are damaged; the position stays then.
    """
    offset = await consumer.position(partition)
    answer, aborted = await _fetch(consumer, partition, offset, fetch_bytes)
    found = _Records(partition, _Batches(answer), aborted, offset, None, None, True, READ_COMMITTED)  # type: ignore[no-untyped-call]
    try:
        records: list[Record] = list(islice(found, records_max))
    except BatchDamaged as error:
        raise CorruptRecordException(f"{partition}: {error}") from error
    consumer.seek(partition, found.next_fetch_offset)
    return records


async def _fetch(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int, fetch_bytes: int) -> Any:
    """Return the bytes of the batches from `offset` on, and the aborted transactions among them."""
    client = consumer._client
    leader = client.cluster.leader_for_partition(partition)
    if leader is None or leader < 0:
        raise LeaderNotAvailableError(str(partition))
    places = [(partition.partition, offset, fetch_bytes)]
    request = FetchRequest(0, 1, fetch_bytes, READ_COMMITTED, [(partition.topic, places)])
    response: Any = await client.send(leader, request)
    ((_, ((_, code, _, *rest),)),) = response.topics
    if code:
        client.force_metadata_update()  # the leader may be another by now
        error: type[KafkaError] = for_code(code)
        raise error(str(partition))
    return rest[-1], rest[1 if response.API_VERSION == 4 else 2]


class _Records(PartitionRecords):
    """The client's own rules on transactions, markers, checksums and positions, giving our records."""

    def _consumer_record(self, tp: TopicPartition, record: Any) -> Record:
        headers = tuple(record.headers)
        return Record(tp.topic, tp.partition, record.offset, record.timestamp, record.key, headers, record.value)


class _Batches:
    """What the client's rules ask of a fetch."""

    def __init__(self, fetched: bytes) -> None:
        self._left = deque(split_batches(fetched))

    def has_next(self) -> bool:
        return bool(self._left)

    def next_batch(self) -> "_Batch":
        return _Batch(self._left.popleft())


class _Batch:
    """A batch as the client knows it, whose records are taken apart here where the client cannot."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._known: Any = MemoryRecords(content).next_batch()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._known, name)

    def __next__(self) -> Any:
        return next(self._known)

    def __iter__(self) -> Iterator[Any]:
        try:
            records = list(self._known)
        except UNREADABLE:
            records = list(batched_records(self._content, _decompress))
        offsets = list(map(_OFFSET, records))
        base = self._known.base_offset
        true = true_offsets(offsets, base, self._known.next_offset - 1 - base)
        if true is offsets:
            return iter(records)
        return (
            BatchedRecord(offset, record.timestamp, record.key, tuple(record.headers), record.value)
            for offset, record in zip(true, records, strict=True)
        )


def _decompress(codec: int, content: bytes) -> bytes:
    return bytes(_CODECS[codec](content))


_CODECS: Final = {1: gzip_decode, 2: snappy_decode, 3: lz4_decode, 4: zstd_decode}

_OFFSET: Final = attrgetter("offset")
