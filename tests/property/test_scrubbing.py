"""A scrubbed history is archived as the original is: the same items, in the same folders, of as many people."""

from typing import Any

from hypothesis import given, settings

from consumers.batch import LaneId
from consumers.memory_store import MemoryStore
from producers.pseudonyms import Pseudonyms
from producers.scrubbing import Scrubber
from schemas.record import Record
from tests.property.histories import streams
from tests.property.test_invariants import stored

SECRET = b"a test's own"


def archive(store: MemoryStore, names: Pseudonyms | None) -> tuple[Any, ...]:
    """Return what is archived, under pseudonyms; without names and subjects."""
    rename = str if names is None else names.identifier
    items = {
        (rename(item.mailbox), rename(item.conversation)): (
            *(item.folder, item.status, item.kind),
            *(item.visible, item.presented, item.undelivered),
        )
        for item in store.items()
    }
    conversations = {
        rename(name): (found.phase, found.held, found.messages, len(found.members))
        for name, found in store.conversations().items()
    }
    causes = sorted((str(entry.cause), entry.record.offset) for entry in store.quarantine())
    return items, conversations, {rename(user) for user in store.mailboxes()}, causes


@settings(max_examples=60, deadline=None)
@given(streams())
async def test_a_scrubbed_stream_is_archived_alike(found: dict[LaneId, list[Record]]) -> None:
    """Repeated, contradicting and broken records included; only names differ. Of neither the files are there.

    Planted bugs: keys, initiators, or recipients replaced by prose; one id for all events; digests that are none.
    """
    before = [record for lane in found.values() for record in lane]
    after = list(Scrubber(SECRET).scrubbed(before))
    assert archive(await stored(after, files=()), None) == archive(await stored(before, files=()), Pseudonyms(SECRET))
