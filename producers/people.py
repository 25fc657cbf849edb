"""Who an event names: the SIP addresses that stand in its data, whatever part their owners play."""

from collections.abc import Iterator
from typing import Final

from schemas.envelope import decode
from schemas.errors import RecordRejected
from schemas.events import EventData
from schemas.record import Record

_PERSONS: Final = ("participant", "organizer")
_CROWDS: Final = ("participants", "invited")
_ADDRESSES: Final = ("sip", "initiator", "by")


def people_of(record: Record) -> frozenset[str] | None:
    """Return the addresses that the record's event names, or None where the record cannot be decoded.

    Its topic does not matter, and neither does its size: whoever archives it decides on both.
    """
    try:
        event = decode(record, None, len(record.value or b""))
    except RecordRejected:
        return None
    return frozenset(_named(event.data))


def _named(data: EventData) -> Iterator[str]:
    for field in _ADDRESSES:
        address = getattr(data, field, None)
        if address is not None:
            yield address
    for field in _PERSONS:
        person = getattr(data, field, None)
        if person is not None:
            yield person.sip
    for field in _CROWDS:
        for person in getattr(data, field, ()):
            yield person.sip
    yield from getattr(data, "recipients", ())
