"""Composition of a redrive or discard: settings in; the quarantine, and leave to write, put together."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final, TypeVar

from consumers.grant_keeper import GrantKeeper
from consumers.lane import LaneLimits
from consumers.mongo.content_store import MongoContent
from consumers.mongo.quarantine import MongoQuarantine
from consumers.ports import QuarantineStore
from consumers.quarantine import State, entry_id
from consumers.reading import NotFound
from consumers.redriving import Redriver, Selection, Tally
from deploy.archiving import topic_streams
from deploy.errors import AmbiguousReplacement
from deploy.kafka_login import issuer_client
from deploy.policies import switches
from deploy.settings import Settings
from deploy.signing import signer_of
from deploy.standing import standing_archive
from deploy.trust import grants_of
from schemas.clock import Clock, SystemClock
from schemas.login import ARCHIVER
from schemas.record import Record

Value = TypeVar("Value")

BATCH_RECORDS: Final = 100
"""Records of one transaction: few, so that lanes that meet it in a conversation lose little."""

CHUNK: Final = 100
"""Lines of a recording whose places are looked up at once."""


async def redrive(
    settings: Settings,
    selection: Selection,
    replacing: Iterable[Record] = (),
    batch_records: int = BATCH_RECORDS,
    watch: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Redrive entries, with the bytes of those records of `replacing` that have the place of one.

    Raises what `consumers.redriving.Redriver.run` does, and AmbiguousReplacement before anything is written.
    """
    limits = LaneLimits(
        batch_records=batch_records,
        batch_bytes=settings.archive.batch_bytes,
        record_bytes_max=settings.archive.record_bytes_max,
    )
    async with _handling(settings) as (store, contents, grants, clock):
        replacements = await replacements_of(store, replacing)
        redriver = Redriver(store, contents, grants, clock, topic_streams(settings), limits, switches(settings))
        return await redriver.run(selection, replacements, watch)


async def discard(settings: Settings, ids: Sequence[str], reason: str) -> int:
    """Discard entries, all or none, and return how many. Raises NotFound, NotQuarantined."""
    names = list(dict.fromkeys(ids))
    async with _handling(settings) as (store, _contents, grants, _clock):
        for few in _chunks(names):
            found = await store.find(few)
            for name in few:
                if name not in found:
                    raise NotFound(f"the quarantine holds no record {name}")
        await store.discard(await grants.current(), names, reason)
    return len(names)


async def replacements_of(store: QuarantineStore, records: Iterable[Record]) -> dict[str, Record]:
    """Return, by entry id, those records whose place is one of an entry in state `quarantined`.

    Raises AmbiguousReplacement where two of them have one place.
    """
    replacements: dict[str, Record] = {}
    for few in _chunks(records):
        found = await store.find({entry_id(record) for record in few})
        for record in few:
            name = entry_id(record)
            if name not in found or found[name].state is not State.QUARANTINED:
                continue
            if name in replacements:
                raise AmbiguousReplacement(f"the recording has more than one record at {name}")
            replacements[name] = record
    return replacements


@asynccontextmanager
async def _handling(settings: Settings) -> AsyncIterator[tuple[MongoQuarantine, MongoContent, GrantKeeper, Clock]]:
    """Open the quarantine for as long as the block runs, to write on the archiver's own token."""
    clock = SystemClock()
    async with standing_archive(settings) as (database, contents), issuer_client(settings, ARCHIVER) as tokens:
        grants = grants_of(settings, database, tokens, clock)
        files = MongoContent(database, contents, settings.content.item_bytes_max)
        yield MongoQuarantine(database, clock, signer_of(settings), contents), files, grants, clock


def _chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
