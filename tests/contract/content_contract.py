"""What every `ContentStore` must do, and every archive and quarantine beside one, whatever they are made of."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import pytest

from consumers.batch import Batch, Checkpoint, Counts
from consumers.content import Attachment, Claim, ContentState, claims
from consumers.fold import fold, recalls
from consumers.memory_quarantine import MemoryQuarantine
from consumers.mongo.quarantine import MongoQuarantine
from consumers.ports import ContentAltered, ContentStore, Stale
from consumers.quarantine import State
from consumers.reading import NotFound
from consumers.redrive import Attempt, Redrive, refold
from schemas.envelope import Event
from schemas.errors import Cause
from schemas.events import ContentReference
from schemas.record import Record
from tests.builders import (
    ALICE,
    CONFERENCES,
    activated,
    adjourned,
    decoded,
    entered,
    history,
    record,
    reference,
    uploaded,
)
from tests.support.clock import ManualClock
from tests.support.trust import GRANT

PLAN = b"a plan"
GONE = b"never put"
ITEM_BYTES_MAX = 1000


class Put(Protocol):
    """Puts bytes into the store, as a producer does; with a digest, under that one, to be wrong."""

    def __call__(self, data: bytes, sha256: str | None = None) -> Awaitable[None]: ...


class Attached(Protocol):
    """Reads all attachments, by conversation and sequence."""

    def __call__(self) -> Awaitable[Sequence[Attachment]]: ...


@dataclass(frozen=True, slots=True)
class Filed:
    """An archive under test with its files, how to put some, how to read attachments, and the clock of both."""

    store: MemoryQuarantine | MongoQuarantine
    contents: ContentStore
    put: Put
    attached: Attached
    clock: ManualClock


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def claim(data: bytes) -> Claim:
    return Claim(sha256(data), len(data))


def meeting(*files: ContentReference, name: str = "m1") -> list[Record]:
    """Return the records of a meeting in which Alice shares these files, from sequence 3 and offset 2 on."""
    shared = (uploaded(file, conversation=name) for file in files)
    return history(activated(name), entered(ALICE, name), *shared, adjourned(1, name))


async def batch_of(filed: Filed, records: Iterable[Record]) -> Batch:
    """Fold records on top of what is stored, knowing what there is of their files."""
    checkpoint = await filed.store.checkpoint(CONFERENCES) or Checkpoint(CONFERENCES, 0)
    run = decoded(records, checkpoint.next)
    known = await filed.store.load({one.event.data.conversation for one in run if isinstance(one.event, Event)})
    recalled = await filed.store.recall(recalls(run, known))
    return fold(checkpoint, run, known, recalled, await filed.contents.inspect(claims(run)))


async def archive(filed: Filed, records: Iterable[Record]) -> None:
    await filed.store.commit(GRANT, await batch_of(filed, records))


async def redrive_of(filed: Filed) -> Redrive:
    """Fold all quarantined entries again."""
    entries = await filed.store.page(CONFERENCES, None, (-1, 0), 100, 1 << 30)
    records = [entry.entry.record for entry in entries]
    attempts = [Attempt(entry, decoded([one], one.offset)[0]) for entry, one in zip(entries, records, strict=True)]
    run = [attempt.decoded for attempt in attempts]
    known = await filed.store.load({one.event.data.conversation for one in run if isinstance(one.event, Event)})
    places = recalls(run, known)
    contents = await filed.contents.inspect(claims(run))
    recalled = await filed.store.recall(places)
    return refold(CONFERENCES, attempts, known, recalled, contents, await filed.store.stubs(places))


async def counts(filed: Filed) -> Counts:
    checkpoint = await filed.store.checkpoint(CONFERENCES)
    assert checkpoint is not None
    return checkpoint.counts


async def states(filed: Filed) -> list[ContentState]:
    return [one.state for one in await filed.attached()]


async def causes(filed: Filed) -> dict[int, Cause]:
    """Return why records are in quarantine, by their offset."""
    entries = await filed.store.page(CONFERENCES, None, (-1, 0), 100, 1 << 30)
    return {entry.entry.record.offset: entry.entry.cause for entry in entries}


async def idle(filed: Filed) -> list[str]:
    return [file.sha256 async for file in filed.contents.idle(filed.clock.now())]


async def read(filed: Filed, digest: str) -> bytes:
    return b"".join([portion async for portion in filed.contents.open(digest)])


class ContentContract(ABC):
    """The contract of `consumers.ports.ContentStore`, and of what refers to it."""

    @abstractmethod
    async def filed(self) -> Filed:
        """The store under test, empty, whose items take 1000 bytes; a fixture."""

    async def test_every_claim_has_its_state(self, filed: Filed) -> None:
        """Stored, missing, of other bytes, of another size, too large: said for each claim, again and again."""
        await filed.put(PLAN)
        await filed.put(b"other bytes", sha256(b"wrong bytes"))
        await filed.put(b"")
        large = Claim(sha256(PLAN), ITEM_BYTES_MAX + 1)
        wanted = {
            claim(PLAN): ContentState.STORED,
            claim(b""): ContentState.STORED,
            claim(GONE): ContentState.MISSING,
            claim(b"wrong bytes"): ContentState.WRONG,
            Claim(sha256(PLAN), len(PLAN) + 1): ContentState.WRONG,
            large: ContentState.OVERSIZED,
        }
        for _ in range(2):
            assert await filed.contents.inspect(wanted) == wanted
        assert await filed.contents.inspect([]) == {}

    async def test_bytes_are_read_back(self, filed: Filed) -> None:
        """What was put is what is read; what is not there, or not what its digest says, is said."""
        for data in (PLAN, b""):
            await filed.put(data)
            await filed.put(data)
            assert await read(filed, sha256(data)) == data
        with pytest.raises(NotFound):
            await read(filed, sha256(GONE))
        await filed.put(b"other bytes", sha256(b"wrong bytes"))
        with pytest.raises(ContentAltered):
            await read(filed, sha256(b"wrong bytes"))

    async def test_a_file_that_is_there_is_archived(self, filed: Filed) -> None:
        """Its event counts as archived, and its attachment is stored."""
        await filed.put(PLAN)
        await archive(filed, meeting(reference(PLAN)))
        assert await filed.attached() == [Attachment("m1", 3, claim(PLAN), ContentState.STORED)]
        assert await counts(filed) == Counts(archived=4)

    async def test_a_file_that_is_not_leaves_a_stub(self, filed: Filed) -> None:
        """The event has its place, its record is in quarantine with the cause, and a second report is a duplicate."""
        await filed.put(b"other", sha256(b"12345"))
        large = reference(PLAN, size=ITEM_BYTES_MAX + 1)
        records = meeting(reference(GONE), reference(b"12345"), large)
        await archive(filed, records)
        await archive(filed, records[2:5])
        assert await states(filed) == [ContentState.MISSING, ContentState.WRONG, ContentState.OVERSIZED]
        assert await causes(filed) == {
            2: Cause.CONTENT_MISSING,
            3: Cause.CONTENT_MISMATCH,
            4: Cause.CONTENT_OVERSIZED,
        }
        assert await counts(filed) == Counts(archived=3, duplicate=3, quarantined=3)
        assert (await filed.store.load(["m1"]))["m1"].held == ((1, 6),)

    async def test_a_redrive_heals(self, filed: Filed) -> None:
        """Once the file is good the attachment is stored, the entry redriven, and counts move; before, all stays."""
        await archive(filed, meeting(reference(GONE)))
        await filed.store.redrive(GRANT, await redrive_of(filed))
        assert (await states(filed), await counts(filed)) == ([ContentState.MISSING], Counts(3, 0, 1))
        await filed.put(b"other bytes", sha256(GONE))
        await filed.store.redrive(GRANT, await redrive_of(filed))
        assert (await causes(filed), await counts(filed)) == ({2: Cause.CONTENT_MISMATCH}, Counts(3, 0, 1))
        await filed.put(GONE)
        redrive = await redrive_of(filed)
        await filed.store.redrive(GRANT, redrive)
        assert (await states(filed), await counts(filed)) == ([ContentState.STORED], Counts(archived=4))
        (entry,) = (await filed.store.find([f"{CONFERENCES}/2"])).values()
        assert (entry.state, entry.tries) == (State.REDRIVEN, 3)
        with pytest.raises(Stale):
            await filed.store.redrive(GRANT, redrive)
        assert await counts(filed) == Counts(archived=4)

    async def test_a_redriven_event_can_become_a_stub(self, filed: Filed) -> None:
        """An event that takes its place by a redrive, its file still missing, stays in quarantine."""
        records = meeting(reference(GONE))
        await archive(filed, [records[0], records[2]._replace(key=b"x"), *records[3:]])
        entries = await filed.store.page(CONFERENCES, None, (-1, 0), 100, 1 << 30)
        (one,) = decoded([records[2]], 1)
        known = await filed.store.load(["m1"])
        contents = await filed.contents.inspect(claims([one]))
        await filed.store.redrive(GRANT, refold(CONFERENCES, [Attempt(entries[0], one, b"")], known, {}, contents))
        assert (await states(filed), await counts(filed)) == ([ContentState.MISSING], Counts(2, 0, 1))
        assert await causes(filed) == {1: Cause.CONTENT_MISSING}
        assert (await filed.store.load(["m1"]))["m1"].held == ((1, 1), (3, 4))

    async def test_what_is_referred_to_stays(self, filed: Filed) -> None:
        """Events, stubs and quarantined records, decodable or not, keep their files; only others are idle."""
        broken, behind, lone, small = b"broken", b"behind the end", b"nobody's", b"of a stub"
        for data in (PLAN, broken, behind, lone):
            await filed.put(data)
        await archive(filed, meeting(reference(PLAN), reference(small)))
        odd = record(9, uploaded(reference(broken)))
        await archive(filed, [odd._replace(value=(odd.value or b"")[:-1]), record(9, uploaded(reference(behind)))])
        await filed.put(small)
        filed.clock.advance(1)
        assert await idle(filed) == [sha256(lone)]
        now = filed.clock.now()
        for data in (PLAN, broken, behind, small):
            assert not await filed.contents.drop(sha256(data), now)
        assert await filed.contents.drop(sha256(lone), now)
        assert not await filed.contents.drop(sha256(lone), now)
        assert await filed.contents.inspect([claim(lone)]) == {claim(lone): ContentState.MISSING}
        assert await read(filed, sha256(PLAN)) == PLAN

    async def test_putting_again_begins_the_grace_again(self, filed: Filed) -> None:
        """A file is idle only when it was put last before the time that is asked for."""
        await filed.put(PLAN)
        first = filed.clock.now() + timedelta(seconds=1)
        filed.clock.advance(10)
        await filed.put(PLAN)
        assert [file async for file in filed.contents.idle(first)] == []
        assert not await filed.contents.drop(sha256(PLAN), first)
        assert await read(filed, sha256(PLAN)) == PLAN

    async def test_a_commit_behind_a_sweep_is_stale(self, filed: Filed) -> None:
        """A batch that was folded while the file was there, and is committed after it was swept, writes nothing."""
        await filed.put(PLAN)
        batch = await batch_of(filed, meeting(reference(PLAN)))
        filed.clock.advance(1)
        assert await filed.contents.drop(sha256(PLAN), filed.clock.now())
        with pytest.raises(Stale):
            await filed.store.commit(GRANT, batch)
        assert await filed.store.checkpoint(CONFERENCES) is None
        assert await filed.attached() == []
        await archive(filed, meeting(reference(PLAN)))
        assert await states(filed) == [ContentState.MISSING]

    async def test_a_redrive_behind_a_sweep_cannot_be(self, filed: Filed) -> None:
        """What a quarantined record refers to is never swept, so that its redrive finds it."""
        await archive(filed, meeting(reference(GONE)))
        await filed.put(GONE)
        redrive = await redrive_of(filed)
        filed.clock.advance(1)
        assert not await filed.contents.drop(sha256(GONE), filed.clock.now())
        await filed.store.redrive(GRANT, redrive)
        assert await states(filed) == [ContentState.STORED]

    async def test_one_copy_for_all(self, filed: Filed) -> None:
        """Meetings that share one file refer to one."""
        await filed.put(PLAN)
        for name in ("m1", "m2"):
            await archive(filed, meeting(reference(PLAN, name=f"{name}.txt"), name=name))
        assert [one.claim for one in await filed.attached()] == [claim(PLAN)] * 2
