"""What every `QuarantineStore` must do, whatever it is made of, beside what it does as an `ArchiveStore`."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from consumers.batch import Checkpoint, Counts
from consumers.fold import recalls
from consumers.grant import GrantRefused
from consumers.memory_quarantine import MemoryQuarantine
from consumers.mongo.quarantine import MongoQuarantine
from consumers.policy.ports import PolicyStore, TooLate
from consumers.ports import NotQuarantined, Stale
from consumers.quarantine import Outcome, QuarantineEntry, State
from consumers.redrive import Attempt, Redrive, refold
from consumers.tokens.ports import PartnerStore
from schemas.envelope import Event
from schemas.errors import Cause
from schemas.fingerprint import fingerprint
from schemas.record import Record
from tests.builders import ALICE, BOB, CONVERSATIONS, broken, decoded, history, message, record, started
from tests.contract.policy_contract import VALUES
from tests.contract.store_contract import Stored, archive, batch_of
from tests.support.clock import START, ManualClock
from tests.support.trust import GRANT, PARTNER

ALL_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Kept:
    """A store under test, how to read it, whom it trusts, and the clock it has."""

    store: MemoryQuarantine | MongoQuarantine
    stored: Stored
    partners: PartnerStore
    clock: ManualClock
    policies: PolicyStore


async def gap(kept: Kept) -> list[Record]:
    """Archive a talk whose second event is damaged, at offset 1; return its records as they should have been."""
    records = history(started(), message(ALICE, "one"), message(BOB, "two"))
    await archive(kept.store, [records[0], records[1]._replace(value=b"{"), records[2]])
    return records


async def redrive_of(kept: Kept, replacements: Mapping[int, Record]) -> Redrive:
    """Fold all quarantined entries again, some with other bytes, by offset."""
    entries = await kept.store.page(CONVERSATIONS, None, (-1, 0), 100, ALL_BYTES)
    return await refolded(kept, entries, replacements)


async def refolded(kept: Kept, entries: Iterable[QuarantineEntry], replacements: Mapping[int, Record]) -> Redrive:
    """Fold these entries again."""
    attempts = []
    for entry in entries:
        offset = entry.entry.record.offset
        (one,) = decoded([replacements.get(offset, entry.entry.record)], offset)
        attempts.append(Attempt(entry, one, fingerprint(one.record) if offset in replacements else None))
    run = [attempt.decoded for attempt in attempts]
    known = await kept.store.load({one.event.data.conversation for one in run if isinstance(one.event, Event)})
    return refold(CONVERSATIONS, attempts, known, await kept.store.recall(recalls(run, known)))


async def counts(kept: Kept) -> Counts:
    """Return what the lane's checkpoint counts."""
    checkpoint = await kept.store.checkpoint(CONVERSATIONS)
    assert checkpoint is not None
    return checkpoint.counts


async def entry_at(kept: Kept, offset: int) -> QuarantineEntry:
    """Return the entry of that offset."""
    name = f"{CONVERSATIONS}/{offset}"
    return (await kept.store.find([name]))[name]


class QuarantineContract(ABC):
    """The contract of `consumers.ports.QuarantineStore`."""

    @abstractmethod
    async def kept(self) -> Kept:
        """The store under test, empty, trusting the one partner; a fixture."""

    async def test_a_redrive_fills_the_gap(self, kept: Kept) -> None:
        """The event is in its place, items show it, the checkpoint stays, and the entry says who did it with what."""
        records = await gap(kept)
        before = await kept.store.checkpoint(CONVERSATIONS)
        kept.clock.advance(5)
        await kept.store.redrive(GRANT, await redrive_of(kept, {1: records[1]}))

        assert before is not None
        assert before.counts == Counts(2, 0, 1)
        assert await kept.store.checkpoint(CONVERSATIONS) == replace(before, counts=Counts(archived=3))
        assert [event.sequence for event in await kept.stored.events("c1")] == [1, 2, 3]
        assert (await kept.store.load(["c1"]))["c1"].held == ((1, 3),)
        assert len(await kept.stored.items(ALICE.sip)) == 1
        entry = await entry_at(kept, 1)
        assert (entry.state, entry.tries, entry.entry.record.value) == (State.REDRIVEN, 1, b"{")
        assert entry.handled is not None
        assert (entry.handled.outcome, entry.handled.principal, entry.handled.token_id, entry.handled.reason) == (
            Outcome.ARCHIVED,
            GRANT.principal,
            GRANT.token_id,
            None,
        )
        assert entry.handled.replacement == fingerprint(records[1])
        assert ((entry.handled.at - START).total_seconds(), entry.quarantined_at) == (5, START)

    async def test_a_cause_that_comes_back_stays(self, kept: Kept) -> None:
        """Its new cause and the number of tries are noted; nothing else changes, and it can be tried again."""
        records = await gap(kept)
        conflicting = record(3, message(ALICE, "x"), event_id="another")
        await kept.store.redrive(GRANT, await redrive_of(kept, {1: conflicting}))
        entry = await entry_at(kept, 1)
        assert (entry.state, entry.tries, entry.entry.cause) == (State.QUARANTINED, 1, Cause.SEQUENCE_CONFLICT)
        assert entry.handled is not None
        assert entry.handled.outcome is None
        assert await counts(kept) == Counts(2, 0, 1)
        await kept.store.redrive(GRANT, await redrive_of(kept, {1: records[1]}))
        assert ((await entry_at(kept, 1)).tries, await counts(kept)) == (2, Counts(3, 0, 0))

    async def test_a_duplicate_is_marked_so(self, kept: Kept) -> None:
        """What is held already is a duplicate, in the store or earlier in the same redrive, and counts as one."""
        records = await gap(kept)
        await archive(kept.store, [broken(), broken()])
        await kept.store.redrive(GRANT, await redrive_of(kept, {1: records[1], 3: records[1], 4: records[0]}))
        outcomes = [entry.handled and entry.handled.outcome for entry in [await entry_at(kept, n) for n in (1, 3, 4)]]
        assert outcomes == [Outcome.ARCHIVED, Outcome.DUPLICATE, Outcome.DUPLICATE]
        assert await counts(kept) == Counts(archived=3, duplicate=2)

    async def test_a_redrive_committed_twice_is_stale(self, kept: Kept) -> None:
        """The entry is the fence: whoever comes second changes nothing."""
        records = await gap(kept)
        await archive(kept.store, [broken()])
        redrive = await redrive_of(kept, {1: records[1]})
        await kept.store.redrive(GRANT, redrive)
        with pytest.raises(Stale):
            await kept.store.redrive(GRANT, redrive)
        assert await counts(kept) == Counts(3, 0, 1)
        assert ((await entry_at(kept, 1)).tries, (await entry_at(kept, 3)).tries) == (1, 1)

    async def test_a_redrive_over_another_revision_is_stale(self, kept: Kept) -> None:
        """A lane that wrote the conversation meanwhile wins; of the redrive nothing is there, its entries included."""
        records = await gap(kept)
        redrive = await redrive_of(kept, {1: records[1]})
        await archive(kept.store, [record(4, message(BOB, "three"))])
        with pytest.raises(Stale):
            await kept.store.redrive(GRANT, redrive)
        assert (await entry_at(kept, 1)).state is State.QUARANTINED
        assert await counts(kept) == Counts(3, 0, 1)
        assert [event.sequence for event in await kept.stored.events("c1")] == [1, 3, 4]

    async def test_a_lane_goes_on_beside_a_redrive(self, kept: Kept) -> None:
        """A batch that was made before a redrive of something else is committed after it: the fence did not move."""
        records = await gap(kept)
        batch = await batch_of(kept.store, history(started(conversation="c2")))
        await kept.store.redrive(GRANT, await redrive_of(kept, {1: records[1]}))
        await kept.store.commit(GRANT, batch)
        assert await kept.store.checkpoint(CONVERSATIONS) == Checkpoint(
            CONVERSATIONS, 4, Counts(4, 0, 0), START.replace(second=3)
        )

    async def test_no_policy_comes_before_what_was_redriven(self, kept: Kept) -> None:
        """An event that is archived by a redrive counts as archived, be it later than all that its lane came to."""
        records = history(started(), message(ALICE, "one"), message(BOB, "two"))
        await archive(kept.store, [records[0], records[1]._replace(value=b"{")])
        await kept.store.redrive(GRANT, await redrive_of(kept, {1: records[2]}))
        for second in (1.5, 3):
            with pytest.raises(TooLate):
                await kept.policies.change(GRANT, VALUES, START + timedelta(seconds=second))
        await archive(kept.store, records[1:2])
        with pytest.raises(TooLate):
            await kept.policies.change(GRANT, VALUES, START + timedelta(seconds=3))
        assert await kept.policies.change(GRANT, VALUES, START + timedelta(seconds=4))

    async def test_a_redrive_makes_mailboxes(self, kept: Kept) -> None:
        """Who is met for the first time in a redriven record has a mailbox and an item then."""
        await archive(kept.store, [broken()])
        assert await kept.stored.names() == {}
        await kept.store.redrive(GRANT, await redrive_of(kept, {0: history(started())[0]}))
        assert await kept.stored.names() == {ALICE.sip: "Alice", BOB.sip: "Bob"}
        assert len(await kept.stored.items(BOB.sip)) == 1

    async def test_nothing_is_handled_without_trust(self, kept: Kept) -> None:
        """Neither an expired grant nor one whose partner is disabled redrives or discards anything."""
        records = await gap(kept)
        redrive = await redrive_of(kept, {1: records[1]})
        name = f"{CONVERSATIONS}/1"
        await kept.partners.put(replace(PARTNER, enabled=False))
        with pytest.raises(GrantRefused, match="is disabled"):
            await kept.store.redrive(GRANT, redrive)
        with pytest.raises(GrantRefused, match="is disabled"):
            await kept.store.discard(GRANT, [name], "why")
        await kept.partners.put(PARTNER)
        for grant in (replace(GRANT, expires_at=START), replace(GRANT, roles=frozenset())):
            with pytest.raises(GrantRefused):
                await kept.store.redrive(grant, redrive)
            with pytest.raises(GrantRefused):
                await kept.store.discard(grant, [name], "why")
        assert await entry_at(kept, 1) == redrive.results[0].entry
        assert await counts(kept) == Counts(2, 0, 1)

    async def test_a_discard_marks_and_keeps(self, kept: Kept) -> None:
        """A discarded entry has its reason and its record, counts as quarantined, and is redriven no more."""
        records = await gap(kept)
        redrive = await redrive_of(kept, {1: records[1]})
        await kept.store.discard(GRANT, [f"{CONVERSATIONS}/1"], "a test's own")
        entry = await entry_at(kept, 1)
        assert (entry.state, entry.entry.record.value, entry.tries) == (State.DISCARDED, b"{", 0)
        assert entry.handled is not None
        assert (entry.handled.reason, entry.handled.token_id) == ("a test's own", GRANT.token_id)
        assert await counts(kept) == Counts(2, 0, 1)
        with pytest.raises(Stale):
            await kept.store.redrive(GRANT, redrive)
        assert await kept.store.page(CONVERSATIONS, None, (-1, 0), 100, ALL_BYTES) == []

    async def test_a_discard_is_whole_or_not_at_all(self, kept: Kept) -> None:
        """One id that is not quarantined, or not there, keeps the others as they were."""
        await archive(kept.store, [broken(), broken()])
        names = [f"{CONVERSATIONS}/{offset}" for offset in (0, 1, 2)]
        with pytest.raises(NotQuarantined):
            await kept.store.discard(GRANT, names, "why")
        assert (await entry_at(kept, 0)).state is State.QUARANTINED
        await kept.store.discard(GRANT, names[:1], "why")
        with pytest.raises(NotQuarantined):
            await kept.store.discard(GRANT, names[:2], "again")
        assert (await entry_at(kept, 1)).state is State.QUARANTINED

    async def test_pages_are_in_order_of_offset_and_bounded(self, kept: Kept) -> None:
        """Pages have what is quarantined, of the cause asked for, behind the offset; entries and bytes bound them."""
        conflict = record(1, started(), event_id="another")
        await archive(kept.store, [*history(started()), *([broken()] * 11), conflict])
        await kept.store.discard(GRANT, [f"{CONVERSATIONS}/2"], "why")

        async def offsets(
            cause: Cause | None, after: int, entries_max: int = 100, bytes_max: int = ALL_BYTES
        ) -> list[int]:
            page = await kept.store.page(CONVERSATIONS, cause, (after, 0), entries_max, bytes_max)
            return [entry.entry.record.offset for entry in page]

        assert await offsets(None, -1) == [1, *range(3, 13)]
        assert await offsets(Cause.SEQUENCE_CONFLICT, -1) == [12]
        assert await offsets(Cause.MALFORMED_HEADERS, 9) == [10, 11]
        assert await offsets(None, 1, entries_max=2) == [3, 4]
        assert await offsets(None, -1, bytes_max=1) == [1]
        assert await kept.store.lanes() == [CONVERSATIONS]
        assert await kept.store.page(CONVERSATIONS._replace(partition=1), None, (-1, 0), 100, ALL_BYTES) == []
        assert await kept.store.find(["lync.conversations/0/99"]) == {}
