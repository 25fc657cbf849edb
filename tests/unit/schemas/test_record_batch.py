"""Batches taken apart: what was put in comes out, and damage is called damage."""

import gzip
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.record import Record
from schemas.record_batch import BatchDamaged, BatchedRecord, batched_records, split_batches, true_offsets
from tests.support.batches import STAMP_MS, Form, batch, batch_of, counted, varint
from tests.unit.producers.record_strategy import RECORDS

HEADER_BYTES = 61
some_records = st.lists(
    RECORDS.map(lambda record: record._replace(timestamp_ms=record.timestamp_ms % 2**41)), max_size=5
)
calmly = settings(deadline=None)


def refuse(codec: int, content: bytes) -> bytes:
    raise AssertionError(f"codec {codec} of {len(content)} bytes")


def expected(records: Iterable[Record]) -> list[BatchedRecord]:
    return [
        BatchedRecord(offset, record.timestamp_ms, record.key, record.headers, record.value)
        for offset, record in enumerate(records)
    ]


@calmly
@given(records=some_records)
def test_what_was_put_in_comes_out(records: list[Record]) -> None:
    """Every byte of every record, names that are no text included; seen to fail where names were decoded strictly."""
    assert list(batched_records(batch(records), refuse)) == expected(records)


@calmly
@given(batches=st.lists(some_records, max_size=3), cut=st.integers(0, 300))
def test_a_batch_that_is_cut_short_is_left_out(batches: list[list[Record]], cut: int) -> None:
    """Brokers cut the last batch where a fetch is full; seen to fail where the length was not looked at."""
    content = [batch(records) for records in batches]
    fetched = b"".join(content)
    found = list(split_batches(fetched[: len(fetched) - cut]))
    assert found == content[: len(found)]
    assert len(fetched) - sum(map(len, found)) <= cut + max(map(len, content), default=0)
    assert cut or found == content


@calmly
@given(records=some_records, place=st.integers(0), piece=st.binary(max_size=4))
def test_damage_is_called_damage(records: list[Record], place: int, piece: bytes) -> None:
    """Whatever bytes there are, records come of them or the one error; seen to fail on a negative length."""
    content = batch(records)
    place = HEADER_BYTES + place % max(1, len(content) - HEADER_BYTES)
    damaged = content[:place] + piece + content[place + len(piece) :]
    try:
        found = list(batched_records(damaged, refuse))
    except BatchDamaged:
        return
    assert len(found) == len(records)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        batch([])[:-1],
        batch([], Form(magic=1)),
        batch([], Form(tail=b"x")),
        batch([], Form(records=1)),
        batch_of([counted(b"\0\0\0" + varint(-1) + varint(-1) + varint(-1))], 0, 0),
        batch_of([counted(b"\0\0\0" + varint(-1) + varint(-1) + varint(1) + varint(-1) + varint(-1))], 0, 0),
        batch_of([counted(b"\0\0\0" + varint(-1) + varint(2**40) + varint(0))], 0, 0),
        batch_of([varint(20) + b"\0" + b"\xff" * 20], 0, 0),
        batch_of([varint(7) + b"\0\0\0" + varint(-1) + varint(-1) + varint(0)], 0, 0),
    ],
)
def test_damaged_batches(content: bytes) -> None:
    """Too short, another format, too much, too little, fewer headers than none, a name that is null, no end, a lie."""
    with pytest.raises(BatchDamaged):
        list(batched_records(content, refuse))


def test_compressed_records_are_decompressed_as_they_say() -> None:
    """The codec is handed over with the bytes."""
    records = [Record("t", -1, -1, STAMP_MS, None, (), b"x" * 99)]
    found = batched_records(batch(records, Form(codec=1)), lambda codec, packed: gzip.decompress(packed))
    assert list(found) == expected(records)


def test_times_of_the_log_are_the_batch_s() -> None:
    """Where the broker set the time, records have that of their batch; sums wrap around as they do in Java."""
    records = [Record("t", -1, -1, STAMP_MS, None, (), b"x")]
    (found,) = batched_records(batch(records, Form(attributes=8, latest_ms=7)), refuse)
    assert found.timestamp == 7
    wrapped = counted(b"\0" + varint(5) + varint(0) + varint(-1) + varint(-1) + varint(0))
    (found,) = batched_records(batch_of([wrapped], 2**63 - 1, 0), refuse)
    assert found.timestamp == -(2**63) + 4


@pytest.mark.parametrize(
    ("said", "true"),
    [
        ([10, 11, 12], [10, 11, 12]),
        ([10, 12], [10, 12]),
        ([], []),
        ([10, 11, 2**40], [10, 11, 12]),
        ([12, 11, 10], [10, 11, 12]),
        ([10, 10, 10], [10, 11, 12]),
        ([-5, 10, 11], [10, 11, 12]),
    ],
)
def test_records_are_where_their_batch_is(said: Sequence[int], true: Sequence[int]) -> None:
    """Compaction leaves holes; a producer that lies about places is not believed."""
    assert list(true_offsets(said, 10, 2)) == true


def test_a_lie_that_cannot_be_mended_is_damage() -> None:
    """Some records are gone, and the others say that they are elsewhere."""
    with pytest.raises(BatchDamaged):
        true_offsets([10, 13], 10, 2)
