"""Publishing a record that the client's compiled encoder would not write as it is: in a batch of its own."""

from typing import Final

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from schemas.record import Headers, Record, name_bytes

_FORMAT: Final = 2


class OddBatch(BatchBuilder):
    """A batch of one record, made by the client's encoder in Python, which asks names for their bytes."""

    def __init__(self, record: Record) -> None:
        super().__init__(0, 0)  # type: ignore[no-untyped-call]
        self._builder = _DefaultRecordBatchBuilderPy(_FORMAT, 0, 0, -1, -1, 0, 0)
        self.append(timestamp=record.timestamp_ms, key=record.key, value=record.value, headers=_named(record.headers))

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._builder.set_producer_state(producer_id, producer_epoch, base_sequence)


class _Name(str):
    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return name_bytes(str(self))


def _named(headers: Headers) -> list[tuple[str, bytes | None]]:
    return [(_Name(name), value) for name, value in headers]
