"""A lane whose conversations are removed while it has them at hand."""

from consumers.batch import Counts
from consumers.memory_retention import MemoryRetention
from consumers.policy.ports import Purge, Reason
from schemas.errors import Cause
from tests.builders import ALICE, CONVERSATIONS, history, laid, message, started
from tests.support.faulty import FaultyStore
from tests.support.lanes import archived, running, surroundings
from tests.support.trust import GRANT, trusting


async def test_events_of_a_removed_conversation_stop_no_lane() -> None:
    """It begins again from its checkpoint: what was held is a duplicate, anything else is quarantined."""
    records = history(started(), message(ALICE, "one"), message(ALICE, "two"))
    around = surroundings(laid(records[:2]))
    memory = MemoryRetention(around.clock, trusting())
    around.memory, around.store = memory, FaultyStore(memory)
    async with running(around):
        await archived(around)
        for who in ("sip:alice@contoso.com", "sip:bob@contoso.com"):
            (item,) = memory.items(who)
            await memory.delete(GRANT, who, item.id)
        await memory.purge(GRANT, Purge("c1", 1, 0, (), True, Reason.SWEEP))
        around.source.append(CONVERSATIONS, *laid([records[0], records[2]], 2))
        await archived(around)
    assert memory.checkpoints()[CONVERSATIONS].counts == Counts(2, 1, 1)
    assert [entry.cause for entry in memory.quarantine()] == [Cause.CONVERSATION_REMOVED]
