"""Which records of a recording are taken for quarantined ones."""

import pytest

from consumers.memory_quarantine import MemoryQuarantine
from deploy.errors import AmbiguousReplacement
from deploy.redriving import CHUNK, replacements_of
from tests.builders import CONVERSATIONS, broken, laid
from tests.contract.store_contract import archive
from tests.support.clock import ManualClock
from tests.support.trust import GRANT, trusting


async def quarantine(entries: int) -> MemoryQuarantine:
    """Return an archive that met nothing but broken records."""
    store = MemoryQuarantine(ManualClock(), trusting())
    await archive(store, [broken()] * entries)
    return store


async def test_records_are_taken_by_their_place() -> None:
    """Those at other places, or at places of entries that are not quarantined any more, are left out."""
    store = await quarantine(CHUNK + 3)
    await store.discard(GRANT, [f"{CONVERSATIONS}/1"], "why")
    lines = [one._replace(value=b"%d" % one.offset) for one in laid([broken()] * (CHUNK + 10))]
    elsewhere = lines[0]._replace(partition=5)
    taken = await replacements_of(store, [elsewhere, *lines])
    assert taken == {f"{CONVERSATIONS}/{offset}": lines[offset] for offset in range(CHUNK + 3) if offset != 1}


async def test_two_records_at_one_place_are_refused() -> None:
    """Nobody can say which of them is meant; where it does not matter, it is not said."""
    store = await quarantine(2)
    first, second, third = laid([broken()] * 3)
    assert len(await replacements_of(store, [first, second, third, third])) == 2
    with pytest.raises(AmbiguousReplacement, match="conversations/0/1"):
        await replacements_of(store, [first, second, third, second])
