"""What is read of an archive that is written in between, on a real server."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest

from consumers.mongo.discovery import MongoDiscovery
from consumers.mongo.layout import Database, prepare
from consumers.mongo.partners import MongoPartners
from consumers.mongo.policies import MongoPolicies
from consumers.mongo.store import MongoStore, connect
from consumers.policy.governing import Governing
from deploy.digest import item_lines
from deploy.discovery import copy_documents
from deploy.export import mailbox_documents
from deploy.verification.comparison import compare
from deploy.verification.model import expect
from schemas.clock import SystemClock
from schemas.envelope import Event
from schemas.limits import RECORD_BYTES_MAX
from schemas.record import Record
from tests import builders as b
from tests.contract.policy_contract import governing
from tests.contract.store_contract import batch_of
from tests.integration.test_mongo_retention import retained_in
from tests.support.audit import SIGNER
from tests.support.clock import START
from tests.support.trust import GRANT, PARTNER

MEETING = b.history(
    b.activated(),
    b.came(b.ALICE),
    b.came(b.BOB),
    b.said(b.BOB, "for both"),
    b.departed(b.ALICE),
    b.said(b.BOB, "behind her back"),
    b.uploaded(who=b.BOB),
)


class Meanwhile(MongoDiscovery):
    """Reads as ever, and lets something happen before the first event is read."""

    def __init__(self, database: Database, happens: Callable[[], Awaitable[None]]) -> None:
        super().__init__(database)
        self._happens: Callable[[], Awaitable[None]] | None = happens

    async def events(self, conversation: str) -> AsyncIterator[Event]:
        happens, self._happens = self._happens, None
        if happens is not None:
            await happens()
        async for event in super().events(conversation):
            yield event


@pytest.fixture
async def archive(stack: Any, database: str) -> AsyncIterator[Database]:
    own = connect(stack.mongodb_uri, database)
    await prepare(own)
    await MongoPartners(own, SystemClock(), SIGNER).put(PARTNER)
    await MongoPolicies(own, SystemClock(), SIGNER).change(GRANT, governing(), START)
    yield own
    own.client.close()


async def archived(own: Database, records: Iterable[Record]) -> None:
    store = MongoStore(own, SystemClock(), SIGNER)
    governed = Governing(store)
    await governed.refresh()
    await store.commit(GRANT, await batch_of(store, records, b.CONFERENCES, governed.current))


async def test_a_copy_shows_nothing_behind_a_leave_that_is_archived_in_between(archive: Database) -> None:
    """However late in a long export its events are read, a copy has what its owner was there for."""
    await archived(archive, MEETING[:4])
    discovery = Meanwhile(archive, lambda: archived(archive, MEETING[4:]))
    (copy,) = [copy async for copy, _ in copy_documents(discovery, b.ALICE.sip)]
    assert [entry["sequence"] for entry in copy["entries"]] == [2, 3, 4, 5]


async def test_a_file_that_is_archived_in_between_stops_no_digest(archive: Database) -> None:
    """A digest of an archive that is written means little; it comes to its end all the same."""
    await archived(archive, MEETING[:4])
    reader = Meanwhile(archive, lambda: archived(archive, MEETING[4:]))
    (listed,) = [listed async for listed in reader.all_items(b.BOB.sip)]
    assert [b"plan.txt" in line async for line in item_lines(reader, listed)][-1]


@pytest.mark.parametrize("steps", [4, 5])
async def test_an_item_that_is_removed_in_between_is_not_exported(archive: Database, steps: int) -> None:
    """Complete or not, what its user deleted and a purge took is left out, neither torn nor the end of the export."""
    meeting = (b.activated(), b.came(b.BOB), b.said(b.BOB, "hello"), b.uploaded(who=b.BOB), b.adjourned(5))
    await archived(archive, b.history(*meeting[:steps]))
    retained = retained_in(archive)

    async def removed() -> None:
        await retained.delete_items(b.BOB.sip)
        await retained.purge(b.BOB.sip, frees=True, conversation="m1")

    assert [one async for one in mailbox_documents(Meanwhile(archive, removed), b.BOB.sip)] == []


@pytest.mark.parametrize("steps", [3, 5])
async def test_an_item_that_its_user_deleted_is_verified(archive: Database, steps: int) -> None:
    """Complete or not, what is archived of it is compared."""
    meeting = (b.activated(), b.came(b.BOB), b.said(b.BOB, "hello"), b.said(b.BOB, "bye"), b.adjourned(5))
    records = b.history(*meeting[:steps])
    await archived(archive, records)
    await retained_in(archive).delete_items(b.BOB.sip)
    verdict = await compare(expect(records, b.TOPIC_STREAMS, RECORD_BYTES_MAX), MongoDiscovery(archive))
    assert (verdict.missing, verdict.leaked) == (0, 0)
