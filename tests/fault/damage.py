"""Damage to records on their way, drawn by a seed: what was harmed, and what each should have been."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Final

from schemas.catalogue import Stream
from schemas.envelope import decode
from schemas.errors import RecordRejected
from schemas.fingerprint import fingerprint
from schemas.limits import RECORD_BYTES_MAX
from schemas.record import Record

SHARE: Final = 0.05
MARK: Final = "damaged"
"""A header of no meaning, which tells those apart that the damage made equal."""

Harm = Callable[[Record, Random], Record]


def _value(record: Record) -> bytes:
    return record.value or b"{}"


def _flipped(record: Record, draw: Random) -> Record:
    """Flip the highest bit of one ASCII byte: what follows is no UTF-8 any more."""
    value = bytearray(_value(record))
    place = draw.choice([place for place, byte in enumerate(value) if byte < 0x80])
    value[place] ^= 0x80
    return record._replace(value=bytes(value))


def _header(name: str, *values: bytes | None) -> Harm:
    def harm(record: Record, draw: Random) -> Record:
        value = draw.choice(values)
        return record._replace(headers=tuple((known, value if known == name else old) for known, old in record.headers))

    return harm


HARMS: Final[tuple[Harm, ...]] = (
    lambda record, draw: record._replace(value=_value(record)[: draw.randrange(len(_value(record)) - 1)]),
    _flipped,
    lambda record, _: record._replace(key=(record.key or b"") + b"?"),
    lambda record, _: record._replace(key=None),
    _header("ce_type", b"lync.conversation.message.v9", b"com.example.other", None),
    _header("ce_time", b"yesterday", b"2013-13-01T00:00:00Z"),
    _header("ce_sequence", b"0", b"-1", b"first", b"9223372036854775808", None),
)
"""Truncated JSON, a flipped bit, a wrong key or none, wrong headers, a wrong sequence."""


class Damage:
    """Records as they should be, and as they are sent: one of twenty harmed, each in a way drawn by the seed."""

    def __init__(self, good: Sequence[Record], streams: dict[str, Stream], seed: int) -> None:
        draw = Random(seed)
        self.sent: list[Record] = []
        self.originals: dict[bytes, Record] = {}
        for number, record in enumerate(good):
            if draw.random() >= SHARE:
                self.sent.append(record)
                continue
            harmed = draw.choice(HARMS)(record, draw)
            harmed = harmed._replace(headers=(*harmed.headers, (MARK, b"%d" % number)))
            _check_unarchivable(harmed, streams)
            self.originals[fingerprint(harmed)] = record
            self.sent.append(harmed)

    def places(self, kept: Iterable[Record]) -> dict[tuple[str, int, int], bytes]:
        """Return where in Kafka the harmed records are, and their fingerprints, given all that Kafka holds."""
        marks = ((record[:3], fingerprint(record)) for record in kept)
        return {place: mark for place, mark in marks if mark in self.originals}


def _check_unarchivable(record: Record, streams: dict[str, Stream]) -> None:
    try:
        decode(record, streams[record.topic], RECORD_BYTES_MAX)
    except RecordRejected:
        return
    raise AssertionError("a damage left the record as good as it was")
