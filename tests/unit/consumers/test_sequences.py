"""Ranges of held sequences."""

import random

import pytest

from consumers.sequences import Ranges, gaps, holds, insert


@pytest.mark.parametrize(
    ("held", "sequence", "after"),
    [
        ((), 1, ((1, 1),)),
        (((1, 3),), 4, ((1, 4),)),
        (((2, 3),), 1, ((1, 3),)),
        (((1, 1), (3, 3)), 2, ((1, 3),)),
        (((1, 1),), 5, ((1, 1), (5, 5))),
        (((5, 5),), 2, ((2, 2), (5, 5))),
        (((1, 2), (8, 9)), 5, ((1, 2), (5, 5), (8, 9))),
        (((1, 2), (8, 9)), 3, ((1, 3), (8, 9))),
        (((1, 2), (8, 9)), 7, ((1, 2), (7, 9))),
    ],
)
def test_insert_joins_what_touches(held: Ranges, sequence: int, after: Ranges) -> None:
    """A new sequence extends, joins or stands between the ranges, which never touch each other."""
    assert insert(held, sequence) == after


def test_any_order_of_inserts_gives_the_same_ranges() -> None:
    """Ranges are those of the set, whatever the order, and hold exactly its members."""
    numbers = [number for number in range(1, 60) if number % 7]
    expected = tuple((first, min(first + 5, 59)) for first in range(1, 60, 7))
    for seed in range(20):
        random.Random(seed).shuffle(numbers)
        held: Ranges = ()
        for number in numbers:
            assert not holds(held, number)
            held = insert(held, number)
        assert held == expected
        assert [number for number in range(62) if holds(held, number)] == sorted(numbers)


@pytest.mark.parametrize(
    ("held", "last", "holes"),
    [
        ((), None, ()),
        ((), 3, ((1, 3),)),
        (((1, 4),), None, ()),
        (((1, 4),), 4, ()),
        (((1, 4),), 6, ((5, 6),)),
        (((3, 4), (7, 7)), None, ((1, 2), (5, 6))),
        (((3, 4), (7, 7)), 9, ((1, 2), (5, 6), (8, 9))),
    ],
)
def test_gaps_reach_to_the_end_where_it_is_known(held: Ranges, last: int | None, holes: Ranges) -> None:
    """Gaps run from 1 to the known end, or else to the highest sequence that is held."""
    assert gaps(held, last) == holes
