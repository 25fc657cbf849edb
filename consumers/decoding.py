"""Decoding a run of records: each becomes an event, or the reason why it cannot be one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, cast

from schemas.catalogue import Stream
from schemas.envelope import Event, decode
from schemas.errors import RecordRejected
from schemas.events import CallStarted, ConversationStarted, EventData
from schemas.meetings import ConferenceDeliveryFailed
from schemas.record import Record


class Decoded(NamedTuple):
    """A record and what it says, or why it says nothing that can be archived."""

    record: Record
    event: Event | RecordRejected


def decode_all(records: Iterable[Record], streams: Mapping[str, Stream], record_bytes_max: int) -> list[Decoded]:
    """Decode records in order; `streams` gives the role of each topic. Never raises for what a record holds."""
    decoded = []
    for record in records:
        try:
            decoded.append(Decoded(record, decode(record, streams[record.topic], record_bytes_max)))
        except RecordRejected as rejected:
            decoded.append(Decoded(record, _alone(rejected)))
    return decoded


def _alone(rejected: RecordRejected) -> RecordRejected:
    """Return the error without what it came from: through the frames there it would keep itself and all of its run."""
    rejected.__cause__ = rejected.__context__ = None
    return rejected.with_traceback(None)


def portioned(decoded: list[Decoded], items_max: int) -> Iterator[list[Decoded]]:
    """Split a run so that the people of its events, each of whose items may be written, stay within `items_max`.

    One event alone may go beyond: its people are bounded by the contract.
    """
    start, people = 0, 0
    for index, (_, event) in enumerate(decoded):
        if isinstance(event, RecordRejected) or type(event.data) not in _CROWDS:
            continue
        crowd = _crowd(event.data)
        if people + crowd > items_max and index > start:
            yield decoded[start:index]
            start, people = index, 0
        people += crowd
    yield decoded[start:]


_CROWDS: Final = frozenset({ConversationStarted, CallStarted, ConferenceDeliveryFailed})
"""The events that are about more than one person."""


def _crowd(data: EventData) -> int:
    if type(data) is ConferenceDeliveryFailed:
        return len(data.recipients)
    started = cast("ConversationStarted | CallStarted", data)
    return len(started.participants) + len(started.invited)


def bounded(records: Iterable[Record], batch_bytes: int) -> Iterator[list[Record]]:
    """Split records into runs of at most `batch_bytes` of keys and values, or of one record that alone is larger."""
    run: list[Record] = []
    size = 0
    for record in records:
        record_bytes = len(record.key or b"") + len(record.value or b"")
        if run and size + record_bytes > batch_bytes:
            yield run
            run, size = [], 0
        run.append(record)
        size += record_bytes
    if run:
        yield run
