"""Ways to lose, double or leak that were found by attack, each now a test."""

import gc

import pytest
from bson import encode

from consumers import draft
from consumers.batch import Checkpoint, LaneId, Quarantined
from consumers.decoding import decode_all, portioned
from consumers.fold import fold
from consumers.lane import Lane
from consumers.mongo.content import HEADERS_LISTED_MAX, PLAIN_BYTES_MAX
from consumers.mongo.documents import quarantine_document, quarantined_of
from consumers.ports import RecordsGone
from consumers.visibility import sees
from schemas.errors import Cause, RecordRejected
from schemas.limits import RECORD_BYTES_MAX
from schemas.record import Headers, Record
from tests.builders import (
    ALICE,
    BOB,
    CONVERSATIONS,
    TOPIC_STREAMS,
    called,
    decoded,
    history,
    left,
    message,
    person,
    record,
    started,
)
from tests.support.lanes import surroundings
from tests.support.source import MemorySource


class ExpiredSource(MemorySource):
    """A log of which everything expired while nothing new came: the client stands at its end, without a record."""

    async def position(self, lane: LaneId) -> int:
        return 40

    async def bounds(self, lane: LaneId) -> tuple[int, int]:
        return (0, 40) if self.fetches == 0 else (40, 40)


async def test_expired_records_are_not_taken_for_markers() -> None:
    """An empty log whose beginning moved past the checkpoint has lost records, and is not passed over."""
    around = surroundings([])
    around.source = ExpiredSource({CONVERSATIONS: []})
    with pytest.raises(RecordsGone, match="up to offset 0, but Kafka holds 40 to 40"):
        await Lane(CONVERSATIONS, around.parts).run()
    assert around.memory.checkpoints() == {}


def test_a_crowd_is_split_over_batches() -> None:
    """Events that bring many people, each with an item to write, do not all come into one batch."""
    crowd = [person(f"p{number}") for number in range(30)]
    records = [history(started(*crowd, conversation=f"c{number}"))[0] for number in range(5)]
    portions = list(portioned(decoded(records), items_max=70))
    assert [len(portion) for portion in portions] == [2, 2, 1]
    assert [len(portion) for portion in portioned(decoded(records), items_max=10)] == [1] * 5


def test_a_refused_event_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that is refused does not make its conversation of its kind: what follows is judged by what is held."""
    monkeypatch.setattr(draft, "PARTICIPANTS_MAX", 2)
    opened = [
        record(1, started(ALICE, BOB, person("eve"), conversation="x")),
        record(1, called(ALICE, BOB, conversation="x")),
    ]
    batch = fold(Checkpoint(CONVERSATIONS, 0), decoded(opened), {}, {})
    assert [entry.cause for entry in batch.quarantine] == [Cause.TOO_MANY_PARTICIPANTS]
    assert [conversation.kind for conversation in batch.conversations] == ["call"]


def test_a_leave_is_never_refused_for_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the limit on moves, somebody who leaves does not see what follows."""
    monkeypatch.setattr(draft, "MOVES_MAX", 1)
    records = history(started(ALICE, BOB), left(BOB), message(ALICE, "about bob"))
    batch = fold(Checkpoint(CONVERSATIONS, 0), decoded(records), {}, {})
    (bob,) = [item for item in batch.items if item.mailbox == BOB.sip]
    assert batch.quarantine == ()
    assert not sees(bob.visible, 3)


@pytest.mark.parametrize("count", [0, 3, HEADERS_LISTED_MAX + 1])
def test_any_number_of_headers_is_kept(count: int) -> None:
    """A quarantined record comes back byte for byte, and a great many headers do not make its document too large."""
    headers = tuple((f"h{number}", None if number % 2 else b"\xff") for number in range(count))
    entry = Quarantined(Record("t", 0, 0, 0, None, headers, None), Cause.MALFORMED_HEADERS, "why")
    assert quarantined_of(quarantine_document(entry, b"f")) == entry


@pytest.mark.parametrize(
    ("key", "headers", "value"),
    [
        (None, (), b"\0" * (PLAIN_BYTES_MAX + 1)),
        (b"k", (("\udcff", None), ("h", b"\0" * PLAIN_BYTES_MAX), ("h", b"")), b"v"),
        (b"\0" * PLAIN_BYTES_MAX, (), b"v"),
        (None, (("\udcff\udcfe", b"x"), ("", None)), None),
        (None, (("", None),) * 2_200_000, None),
    ],
)
def test_what_mongodb_takes_in_no_document_is_kept(key: bytes | None, headers: Headers, value: bytes | None) -> None:
    """What a topic took compressed may be larger than a document; and BSON has no text that is not UTF-8."""
    entry = Quarantined(Record("t", 0, 0, 0, key, headers, value), Cause.OVERSIZED, "why")
    document = quarantine_document(entry, b"f")
    assert len(encode(document)) < PLAIN_BYTES_MAX
    assert quarantined_of(document) == entry


def test_a_rejection_keeps_nothing_alive() -> None:
    """Not the errors that it came from, whose frames know the whole run: memory would grow until a full collection."""
    spoiled = [record(2, message())._replace(value=b"{"), record(2, message())._replace(headers=(("ce_id", b"\xff"),))]
    gc.collect()
    before = sum(isinstance(found, RecordRejected) for found in gc.get_objects())
    gc.disable()
    try:
        for _, rejected in decode_all(spoiled * 10, TOPIC_STREAMS, RECORD_BYTES_MAX):
            assert isinstance(rejected, RecordRejected)
            assert (rejected.__cause__, rejected.__context__, rejected.__traceback__) == (None, None, None)
        del rejected
        assert sum(isinstance(found, RecordRejected) for found in gc.get_objects()) <= before
    finally:
        gc.enable()
