"""What is encoded decodes to the same, and no bytes at all make decoding fail in a way that is not a rejection."""

import json
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from schemas import events, meetings
from schemas.catalogue import ENDERS, MODELS, OPENERS, STREAMS, TYPES, Stream
from schemas.envelope import Event, canonical, decode, encode
from schemas.errors import RecordRejected
from schemas.limits import (
    CHOICES_MAX,
    CONTENT_ID_CHARS_MAX,
    EVENT_ID_CHARS_MAX,
    FILE_NAME_CHARS_MAX,
    PARTICIPANTS_MAX,
    SEQUENCE_MAX,
    SOURCE_CHARS_MAX,
)
from schemas.record import Record
from schemas.times import parse_time

CONTROLS: Final = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)))
HEX: Final = "0123456789abcdef"

texts: Final = st.text(max_size=60) | st.text('\x00\u2028\u2029\u202e\ufeff\\"🦊\U0010ffff é', max_size=8)
conversations: Final = st.text(st.characters(codec="utf-8", exclude_characters=CONTROLS), min_size=1, max_size=40)
sips: Final = st.from_regex(r"\Asip:[a-z0-9!$&'*+./=?_~%-]{1,9}@[a-z0-9]([a-z0-9.-]{0,9}[a-z0-9])?\Z")
threads: Final = st.text(HEX, min_size=32, max_size=32)
participants: Final = st.builds(events.Participant, sip=sips, name=texts, role=st.sampled_from(events.Role))
people: Final = st.lists(participants, max_size=3).map(tuple)
formats: Final = st.sampled_from(["plain", "html"])
reasons: Final = st.sampled_from(events.EndReason)
sequences: Final = st.integers(2, 20) | st.integers(2, SEQUENCE_MAX)
fractions: Final = st.text("0123456789", min_size=1, max_size=9).map(".".__add__) | st.just("")
times: Final = st.builds(
    lambda moment, fraction: f"{moment.isoformat()}{fraction}Z",
    st.datetimes().map(lambda moment: moment.replace(microsecond=0)),
    fractions,
)
names: Final = st.text(min_size=1, max_size=CONTENT_ID_CHARS_MAX)
FIELDS: Final[dict[str, SearchStrategy[Any]]] = {
    "conversation": conversations,
    "thread": threads,
    "initiator": sips,
    "participants": people,
    "invited": people,
    "participant": participants,
    "sip": sips,
    "text": texts,
    "format": formats,
    "reason": reasons,
    "modality": st.sampled_from(events.Modality),
    "duration_s": st.integers(0, 31_536_000),
    "conference_uri": texts,
    "instance": st.text("0123456789ABCXYZabcxyz-", max_size=64),
    "organizer": st.none() | participants,
    "subject": texts,
    "escalated_from": st.none() | conversations,
    "content": st.builds(
        events.ContentReference,
        id=st.text(min_size=1, max_size=CONTENT_ID_CHARS_MAX),
        name=st.text(max_size=FILE_NAME_CHARS_MAX),
        media_type=st.sampled_from(["text/plain", "image/png", "application/x-a.b+c"]),
        size=st.integers(0, SEQUENCE_MAX),
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    ),
    "audience": st.sampled_from(events.Audience),
    "last_sequence": sequences,
    "role": st.sampled_from(events.Role),
    "origin": st.sampled_from(meetings.Origin),
    "by": sips,
    "locked": st.booleans(),
    "id": names,
    "name": st.text(max_size=FILE_NAME_CHARS_MAX),
    "poll": names,
    "question": names,
    "choices": st.lists(names, min_size=2, max_size=4).map(tuple),
    "tally": st.lists(st.integers(0, PARTICIPANTS_MAX), min_size=2, max_size=CHOICES_MAX).map(tuple),
    "title": texts,
    "link": names,
    "sharing": st.sampled_from(meetings.Sharing),
    "message": sequences,
    "recipients": st.lists(sips, min_size=1, max_size=3).map(tuple),
}
MODAL: Final = {meetings.ConferenceModalityJoined, meetings.ConferenceModalityLeft}

calmly: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no reason to fail."""


def _data(model: type[events.EventData]) -> SearchStrategy[events.EventData]:
    fields = {name: FIELDS[name] for name in model.model_fields}
    if model in MODAL:
        fields["modality"] = st.sampled_from(meetings.ConferenceModality)
    return st.builds(model, **fields)


@st.composite
def _encoded(draw: st.DrawFn) -> tuple[Event, Record]:
    """One event of any type, and the record that a producer makes of it."""
    data = draw(st.sampled_from(list(MODELS.values())).flatmap(_data))
    name = TYPES[type(data)]
    sequence = 1 if name in OPENERS else draw(sequences)
    if name in ENDERS:
        sequence = data.model_dump()["last_sequence"]
    event_id = draw(st.text(min_size=1, max_size=EVENT_ID_CHARS_MAX))
    source = draw(st.text(min_size=1, max_size=SOURCE_CHARS_MAX))
    at = draw(times)
    moment = parse_time(at)[1]
    event = Event(event_id, source, name, at, moment, sequence, data, canonical(data))
    return event, encode(event_id, source, at, sequence, data, "topic")


def _structured(record: Record) -> Record:
    """The same event in structured mode."""
    document: dict[str, Any] = {
        name.removeprefix("ce_").replace("content-type", "datacontenttype"): (value or b"").decode()
        for name, value in record.headers
    }
    document["data"] = json.loads(record.value or b"")
    headers = (("content-type", b"application/cloudevents+json"),)
    return record._replace(headers=headers, value=json.dumps(document).encode())


@calmly
@given(_encoded())
def test_decoding_reverses_encoding(encoded: tuple[Event, Record]) -> None:
    """Every event of every type comes back as it was in either mode; seen to fail where times lost nanoseconds."""
    event, record = encoded
    assert decode(record, STREAMS[event.type]) == event
    assert decode(_structured(record), STREAMS[event.type]) == event


@calmly
@given(
    key=st.none() | st.binary(max_size=20),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["ce_id", "ce_source", "ce_type", "ce_time", "ce_sequence", "ce_specversion"])
            | st.just("content-type")
            | st.text(max_size=5),
            st.none()
            | st.binary(max_size=20)
            | st.sampled_from([b"1.0", b"2", b"application/json", b"application/cloudevents+json"])
            | st.sampled_from([name.encode() for name in MODELS]),
        ),
        max_size=9,
    ),
    value=st.none() | st.binary(max_size=200),
)
def test_arbitrary_records_are_rejected(
    key: bytes | None, headers: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    """Random bytes raise a rejection and nothing else; seen to fail where a null value was not looked for."""
    with pytest.raises(RecordRejected):
        decode(Record("topic", 0, 0, 0, key, tuple(headers), value), Stream.CONVERSATIONS)


json_values: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("aé🦊\x00\u2028\ud83e\udd8a", max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@calmly
@given(encoded=_encoded(), structured=st.booleans(), spoiling=st.data())
def test_spoiled_records_are_rejected_or_read(
    encoded: tuple[Event, Record], structured: bool, spoiling: st.DataObject
) -> None:
    """A good record with a piece replaced is read or rejected; seen to fail where a header had to be UTF-8."""
    record = _structured(encoded[1]) if structured else encoded[1]
    value = record.value or b""
    start = spoiling.draw(st.integers(0, len(value)))
    end = spoiling.draw(st.integers(start, len(value)))
    value = value[:start] + spoiling.draw(st.just(b"") | st.binary(max_size=9)) + value[end:]
    place = spoiling.draw(st.integers(0, len(record.headers) - 1))
    header = (record.headers[place][0], spoiling.draw(st.just(record.headers[place][1]) | st.none() | st.binary()))
    headers = (*record.headers[:place], header, *record.headers[place + 1 :])
    _decodes_or_rejects(record._replace(value=value, headers=headers))


@calmly
@given(encoded=_encoded(), structured=st.booleans(), field=st.sampled_from([*FIELDS, "other"]), value=json_values)
def test_fields_of_any_type_are_rejected_or_read(
    encoded: tuple[Event, Record], structured: bool, field: str, value: object
) -> None:
    """A good record with any JSON value in a field is read or rejected; seen to fail on a surrogate written raw."""
    record = encoded[1]
    document = {**json.loads(record.value or b""), field: value}
    spoiled = record._replace(value=json.dumps(document).encode())
    _decodes_or_rejects(_structured(spoiled) if structured else spoiled)


def _decodes_or_rejects(record: Record) -> None:
    try:
        event = decode(record, None)
    except RecordRejected:
        return
    assert record.key == event.data.conversation.encode()
    assert event.body == canonical(event.data)
