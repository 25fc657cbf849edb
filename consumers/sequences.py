"""Which sequences of a conversation are held: sorted, disjoint, inclusive ranges, and the holes between them."""

from bisect import bisect_right

Ranges = tuple[tuple[int, int], ...]
"""Inclusive ranges `(first, last)`, ascending, never touching each other."""


def holds(held: Ranges, sequence: int) -> bool:
    """Return whether `sequence` lies in one of the ranges."""
    if not held or sequence > held[-1][1]:
        return False
    index = bisect_right(held, sequence, key=lambda pair: pair[0]) - 1
    return index >= 0 and sequence <= held[index][1]


def insert(held: Ranges, sequence: int) -> Ranges:
    """Return the ranges with a sequence that they do not hold yet."""
    if held and sequence == held[-1][1] + 1:  # in order: nearly always
        return (*held[:-1], (held[-1][0], sequence))
    index = bisect_right(held, sequence, key=lambda pair: pair[0])
    first = last = sequence
    low = high = index
    if index > 0 and held[index - 1][1] == sequence - 1:
        low, first = index - 1, held[index - 1][0]
    if index < len(held) and held[index][0] == sequence + 1:
        high, last = index + 1, held[index][1]
    return (*held[:low], (first, last), *held[high:])


def gaps(held: Ranges, last: int | None) -> Ranges:
    """Return the holes from 1 to `last`, or to the highest sequence held where the end is not known."""
    holes = []
    expected = 1
    for first, final in held:
        if first > expected:
            holes.append((expected, first - 1))
        expected = final + 1
    if last is not None and expected <= last:
        holes.append((expected, last))
    return tuple(holes)


def count(held: Ranges) -> int:
    """Return how many sequences the ranges hold."""
    return sum(last - first + 1 for first, last in held)
