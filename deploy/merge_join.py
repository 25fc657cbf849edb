"""Two sorted streams side by side, with one element of each in memory."""

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

Element = TypeVar("Element")


async def side_by_side(
    left: AsyncIterator[Element], right: AsyncIterator[Element], key: Callable[[Element], str]
) -> AsyncIterator[tuple[Element | None, Element | None]]:
    """Yield the elements of both by their key, those of one key as a pair, others beside None.

    The keys of each stream rise from element to element.
    """
    one, two = await anext(left, None), await anext(right, None)
    while one is not None or two is not None:
        if one is not None and two is not None and key(one) == key(two):
            yield one, two
            one, two = await anext(left, None), await anext(right, None)
        elif two is None or (one is not None and key(one) < key(two)):
            yield one, None
            one = await anext(left, None)
        else:
            yield None, two
            two = await anext(right, None)
