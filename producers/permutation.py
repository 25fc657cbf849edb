"""A secret permutation of all texts of one shape: different texts stay different, without a table of them."""

import hashlib
from collections.abc import Sequence
from typing import Final

from producers.alphabets import Alphabet

_ROUNDS: Final = 10
"""As FF1 has (NIST SP 800-38G, section 5.1)."""

_EXCESS_BYTES: Final = 16
"""Beyond a radix' own size, so that a remainder is even to 2^-128."""


def permuted(key: bytes, chars: Sequence[str], alphabets: Sequence[Alphabet]) -> list[str]:
    """Return the characters that stand for these, each of its own alphabet.

    For one key and one sequence of alphabets this is a permutation: an alternating Feistel network over two numbers of
    mixed radix, as FF1 (NIST SP 800-38G) is one over numbers of one radix, with SHAKE256 (FIPS 202) as its function.
    """
    middle = len(chars) // 2
    radices = [len(found.chars) for found in alphabets]
    places = [found.places[char] for char, found in zip(chars, alphabets, strict=True)]
    left, left_size = _number(places[:middle], radices[:middle])
    right, right_size = _number(places[middle:], radices[middle:])
    tweak = key + b",".join(b"%d" % radix for radix in radices)
    for turn in range(_ROUNDS):
        if turn % 2:
            left = (left + _hash(tweak, turn, right, left_size)) % left_size
        else:
            right = (right + _hash(tweak, turn, left, right_size)) % right_size
    places = [*_digits(left, radices[:middle]), *_digits(right, radices[middle:])]
    return [found.chars[place] for place, found in zip(places, alphabets, strict=True)]


def _hash(tweak: bytes, turn: int, number: int, size: int) -> int:
    text = b"%s;%d;%x" % (tweak, turn, number)
    return int.from_bytes(hashlib.shake_256(text).digest(size.bit_length() // 8 + _EXCESS_BYTES), "big")


def _number(places: Sequence[int], radices: Sequence[int]) -> tuple[int, int]:
    """Return the number that the places write, and how many such numbers there are."""
    number, size = 0, 1
    for place, radix in zip(places, radices, strict=True):
        number = number * radix + place
        size *= radix
    return number, size


def _digits(number: int, radices: Sequence[int]) -> list[int]:
    places = []
    for radix in reversed(radices):
        number, place = divmod(number, radix)
        places.append(place)
    return places[::-1]
