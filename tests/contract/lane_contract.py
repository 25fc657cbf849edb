"""The contract of orders to go on without records that are gone, for every store."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

import pytest

from consumers.batch import Checkpoint, Counts, Log
from consumers.grant import GrantRefused
from consumers.missing import KeptOrder, SkipOrder, missing, skip_order
from consumers.ports import ArchiveStore, Fenced, LaneStore
from tests.builders import CONVERSATIONS, broken, history
from tests.contract.store_contract import TALK, archive, batch_of
from tests.support.clock import START, ManualClock
from tests.support.source import TOPIC_ID
from tests.support.trust import GRANT

OTHER_ID = "22222222-2222-2222-2222-222222222222"


class Store(ArchiveStore, LaneStore, Protocol):
    """A store that keeps both contracts."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """A store under test, and the clock it has."""

    store: Store
    clock: ManualClock


async def order_for(lanes: Lanes, topic_id: str, first: int, end: int) -> SkipOrder:
    """Return the order that takes the lane from where it is to a log that holds these offsets."""
    (checkpoint,) = await lanes.store.positions()
    return skip_order(missing(checkpoint, topic_id, first, end), None, "the disk burned down")


class LaneContract(ABC):
    """The contract of `consumers.ports.LaneStore`."""

    @abstractmethod
    async def lanes(self) -> Lanes:
        """The store under test, empty; a fixture."""

    async def test_an_empty_store_has_no_lanes_and_no_orders(self, lanes: Lanes) -> None:
        """Nothing is there before the first commit."""
        assert await lanes.store.positions() == []
        assert await lanes.store.orders() == []

    async def test_a_checkpoint_takes_on_the_topics_id(self, lanes: Lanes) -> None:
        """A checkpoint that names no topic takes the next batch's, and from then on batches of that one only."""
        await archive(lanes.store, history(*TALK))
        (checkpoint,) = await lanes.store.positions()
        assert checkpoint.log == Log(None, 0)
        batch = await batch_of(lanes.store, [broken(), broken()])
        first = replace(batch, end=4, log=Log(TOPIC_ID), quarantine=batch.quarantine[:1], counts=Counts(0, 0, 1))
        await lanes.store.commit(GRANT, first)
        assert (await lanes.store.checkpoint(CONVERSATIONS) or checkpoint).log == Log(TOPIC_ID)
        for log in (Log(OTHER_ID), Log(None), Log(TOPIC_ID, 1)):
            with pytest.raises(Fenced):
                await lanes.store.commit(GRANT, replace(batch, start=4, end=5, log=log))

    async def test_an_order_moves_the_checkpoint_and_is_kept(self, lanes: Lanes) -> None:
        """What is counted stays; who ordered what, when and why, is there for ever."""
        await archive(lanes.store, history(*TALK))
        order = await order_for(lanes, TOPIC_ID, 100, 200)
        await lanes.store.skip(GRANT, order)

        assert await lanes.store.positions() == [
            Checkpoint(CONVERSATIONS, 100, Counts(archived=3), START + timedelta(seconds=3), Log(TOPIC_ID))
        ]
        assert order.given_up == 97
        kept = KeptOrder(order, lanes.clock.now(), GRANT.principal, GRANT.token_id)
        assert await lanes.store.orders() == [kept]

    async def test_an_order_is_carried_out_once(self, lanes: Lanes) -> None:
        """An order is for one place of the checkpoint: whoever moved it first has decided."""
        await archive(lanes.store, history(*TALK))
        order = await order_for(lanes, TOPIC_ID, 100, 200)
        late = await batch_of(lanes.store, [broken()])
        await lanes.store.skip(GRANT, order)
        with pytest.raises(Fenced):
            await lanes.store.skip(GRANT, order)
        with pytest.raises(Fenced):
            await lanes.store.commit(GRANT, late)
        assert len(await lanes.store.orders()) == 1

    async def test_a_commit_fences_an_order(self, lanes: Lanes) -> None:
        """Where the lane went on in the meantime nothing is skipped, and no order kept."""
        await archive(lanes.store, history(*TALK))
        order = await order_for(lanes, TOPIC_ID, 100, 200)
        await archive(lanes.store, [broken()])
        with pytest.raises(Fenced):
            await lanes.store.skip(GRANT, order)
        assert await lanes.store.orders() == []

    async def test_an_order_without_leave_is_refused(self, lanes: Lanes) -> None:
        """A grant that is over moves nothing."""
        await archive(lanes.store, history(*TALK))
        order = await order_for(lanes, TOPIC_ID, 100, 200)
        with pytest.raises(GrantRefused):
            await lanes.store.skip(replace(GRANT, roles=frozenset()), order)
        assert [checkpoint.next for checkpoint in await lanes.store.positions()] == [3]
        assert await lanes.store.orders() == []

    async def test_a_log_that_began_anew_has_places_of_its_own(self, lanes: Lanes) -> None:
        """At an offset that was there before, another record is quarantined beside the former one."""
        batch = replace(await batch_of(lanes.store, [broken(), broken()]), log=Log(TOPIC_ID))
        await lanes.store.commit(GRANT, batch)
        await lanes.store.skip(GRANT, await order_for(lanes, OTHER_ID, 0, 9))
        (checkpoint,) = await lanes.store.positions()
        assert (checkpoint.next, checkpoint.log) == (0, Log(OTHER_ID, 1))
        with pytest.raises(Fenced):
            await lanes.store.commit(GRANT, batch)

        again = await archive(lanes.store, [broken(), broken()])
        assert [entry.log for entry in again.quarantine] == [1, 1]
        assert (await lanes.store.positions())[0].counts == Counts(quarantined=4)
