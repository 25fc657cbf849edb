"""Record batches made byte by byte, as no producer of ours would, and sent to a real broker as they are."""

import asyncio
from collections.abc import Iterable, Sequence
from struct import pack
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c, encode_varint

from producers.kafka_login import TokenProvider, login_options
from schemas.login import KafkaLogin
from schemas.record import Record, name_bytes

CODECS: Final[dict[int, Any]] = {1: gzip_encode, 2: snappy_encode, 3: lz4_encode, 4: zstd_encode}
REQUEST_LIMIT_MS: Final = 30_000
SETTLING_LIMIT_S: Final = 30.0
STAMP_MS: Final = 1_362_384_000_000


class Form(NamedTuple):
    """How a batch is made: what it says of itself, whether that is so or not."""

    codec: int = 0
    attributes: int = 0
    magic: int = 2
    records: int | None = None
    last_delta: int | None = None
    crc: int | None = None
    latest_ms: int | None = None
    tail: bytes = b""


PLAIN: Final = Form()


def varint(number: int) -> bytes:
    """Return the integer as Kafka writes it."""
    written = bytearray()
    encode_varint(number, written.append)
    return bytes(written)


def counted(content: bytes | None) -> bytes:
    """Return bytes behind their length; a null has none."""
    return varint(-1) if content is None else varint(len(content)) + content


def body(record: Record, delta: int, first_ms: int) -> bytes:
    """Return a record as it stands in a batch."""
    headers = b"".join(counted(name_bytes(name)) + counted(value) for name, value in record.headers)
    fields = (
        b"\0" + varint(record.timestamp_ms - first_ms) + varint(delta) + counted(record.key) + counted(record.value)
    )
    return counted(fields + varint(len(record.headers)) + headers)


def batch(records: Sequence[Record], form: Form = PLAIN) -> bytes:
    """Return a batch of the records."""
    first_ms = records[0].timestamp_ms if records else STAMP_MS
    latest_ms = max((record.timestamp_ms for record in records), default=first_ms)
    bodies = [body(record, delta, first_ms) for delta, record in enumerate(records)]
    return batch_of(bodies, first_ms, latest_ms if form.latest_ms is None else form.latest_ms, form)


def batch_of(bodies: Sequence[bytes], first_ms: int, latest_ms: int, form: Form = PLAIN) -> bytes:
    """Return a batch of records that are bytes already."""
    section = b"".join(bodies) + form.tail
    if form.codec in CODECS:
        section = bytes(CODECS[form.codec](section))
    last = len(bodies) - 1 if form.last_delta is None else form.last_delta
    count = len(bodies) if form.records is None else form.records
    signed = pack(">hiqqqhii", form.attributes | form.codec, last, first_ms, latest_ms, -1, -1, -1, count) + section
    crc = calc_crc32c(signed) if form.crc is None else form.crc
    rest = pack(">ibI", -1, form.magic, crc) + signed
    return pack(">qi", 0, len(rest)) + rest


class RawProducer:
    """Sends batches as they are; used as a context, which connects and disconnects."""

    def __init__(self, bootstrap: str, login: KafkaLogin) -> None:
        options = login_options(login, TokenProvider(bootstrap, login))
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **options)

    async def __aenter__(self) -> "RawProducer":
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def send(self, topic: str, partition: int, batches: Iterable[bytes]) -> list[int]:
        """Send batches one by one and return the broker's error codes, 0 where it took the batch."""
        await self._producer.partitions_for(topic)
        return [await self._send(topic, partition, one) for one in batches]

    async def _send(self, topic: str, partition: int, content: bytes) -> int:
        client = self._producer.client
        (node,) = (broker.nodeId for broker in client.cluster.brokers())
        request = ProduceRequest(None, -1, REQUEST_LIMIT_MS, [(topic, [(partition, content)])])
        async with asyncio.timeout(SETTLING_LIMIT_S):
            while True:
                response: Any = await client.send(node, request)
                ((_, ((_, code, *_),)),) = response.topics
                if not code or not for_code(code).invalid_metadata:
                    return int(code)
                await client.force_metadata_update()  # the topic is new, and the broker does not know yet that it leads
