"""Record batches taken apart byte for byte: Kafka's message format 2, as a broker stores it and hands it out (KIP-98).

For what a client's own reader refuses, such as a header whose name is not UTF-8. Which batches count, whether their
checksums hold and how they are decompressed is the caller's to know.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import lt
from struct import Struct
from typing import Final, NamedTuple

from schemas.record import Headers, header_name

Decompress = Callable[[int, bytes], bytes]
"""Undo the compression of the codec (1 gzip, 2 snappy, 3 lz4, 4 zstd) that the records of a batch have."""

_PREFIX: Final = Struct(">qi")
"""Base offset and length of what follows: the same in every message format."""

_HEADER: Final = Struct(">qiibIhiqqqhii")
_CODEC: Final = 0x07
_LOG_APPEND_TIME: Final = 0x08
_VARINT_BITS_MAX: Final = 70
"""Ten bytes of seven bits hold the longest integer, of 64 bits."""


class BatchDamaged(ValueError):
    """The bytes are no record batch of message format 2."""


class BatchedRecord(NamedTuple):
    """One record of a batch; `timestamp` is Unix time in milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    headers: Headers
    value: bytes | None


def split_batches(fetched: bytes) -> Iterator[bytes]:
    """Yield the batches, of whatever format, that a fetch brought whole: brokers cut the last one where it is full."""
    place = 0
    while place + _PREFIX.size <= len(fetched):
        _, length = _PREFIX.unpack_from(fetched, place)
        end = place + _PREFIX.size + length
        if length < 0 or end > len(fetched):
            return
        yield fetched[place:end]
        place = end


def batched_records(batch: bytes, decompress: Decompress) -> Iterator[BatchedRecord]:
    """Yield a batch's records in order. Raises BatchDamaged where it ends early, goes on or has another format."""
    if len(batch) < _HEADER.size:
        raise BatchDamaged("a batch is shorter than its header")
    base, _, _, magic, _, attributes, _, first_ms, latest_ms, _, _, _, count = _HEADER.unpack_from(batch)
    if magic != 2:
        raise BatchDamaged(f"the message format is {magic}")
    section = batch[_HEADER.size :]
    codec = attributes & _CODEC
    reader = _Reader(decompress(codec, section) if codec else section)
    for _ in range(count):
        length = reader.varint()
        end = reader.place + length
        reader.take(1)  # attributes, of which none is used
        timestamp = _int64(first_ms + reader.varint())
        offset = base + reader.varint()
        key, value = reader.nullable(), reader.nullable()
        headers = tuple((header_name(reader.counted()), reader.nullable()) for _ in range(reader.count()))
        if reader.place != end:
            raise BatchDamaged("a record is not as long as it says")
        yield BatchedRecord(offset, latest_ms if attributes & _LOG_APPEND_TIME else timestamp, key, headers, value)
    if not reader.at_end:
        raise BatchDamaged("a batch goes on behind its last record")


def true_offsets(offsets: Sequence[int], base: int, last_delta: int) -> Sequence[int]:
    """Return where the records of a batch are, given where they say they are.

    A broker numbers batches, and does not look at what an uncompressed batch says of its records. It counts them,
    though: they fill the batch, unless some were compacted away. Raises BatchDamaged where that leaves it open.
    """
    last = base + last_delta
    if all(map(lt, (base - 1, *offsets), (*offsets, last + 1))):
        return offsets
    if len(offsets) != last_delta + 1:
        raise BatchDamaged("records are not where their batch is")
    return range(base, last + 1)


def _int64(number: int) -> int:
    """Return what Kafka's arithmetic makes of a sum: it wraps around."""
    return (number + 2**63) % 2**64 - 2**63


class _Reader:
    """Reads the fields of records one behind the other."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.place = 0

    @property
    def at_end(self) -> bool:
        return self.place == len(self._content)

    def take(self, length: int) -> bytes:
        end = self.place + length
        if length < 0 or end > len(self._content):
            raise BatchDamaged("a record goes beyond its batch")
        taken = self._content[self.place : end]
        self.place = end
        return taken

    def varint(self) -> int:
        """Read a zigzag integer of seven bits a byte, the lowest first."""
        found = 0
        for shift in range(0, _VARINT_BITS_MAX, 7):
            (byte,) = self.take(1)
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return _int64((found >> 1) ^ -(found & 1))
        raise BatchDamaged("an integer has no end")

    def count(self) -> int:
        number = self.varint()
        if number < 0:
            raise BatchDamaged("a record has fewer headers than none")
        return number

    def counted(self) -> bytes:
        return self.take(self.varint())

    def nullable(self) -> bytes | None:
        length = self.varint()
        return None if length < 0 else self.take(length)
