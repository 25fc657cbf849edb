"""Which characters may stand for which, so that a text keeps its shape: its script, its case, and its size in UTF-8."""

import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

_BLOCK: Final = 256
_REPLACED: Final = frozenset("LMN") | {"So", "Co", "Cn"}
"""Letters, marks, numbers and pictures say something, and so may what has no meaning yet (Unicode, table 12 of UAX 44).
Punctuation, spaces, controls, signs of mathematics and of currencies are shape."""


class Alphabet(NamedTuple):
    """Characters that stand for each other, and the place of each."""

    chars: str
    places: dict[str, int]


def alphabet(chars: str) -> Alphabet:
    """Return the alphabet of these characters, in their order."""
    return Alphabet(chars, {char: place for place, char in enumerate(chars)})


HEX_LOWER: Final = alphabet("0123456789abcdef")
HEX_UPPER: Final = alphabet("0123456789ABCDEF")


def alphabet_of(char: str) -> Alphabet | None:
    """Return the alphabet that the character belongs to, or None where it is shape and stays.

    Of one alphabet are the characters of one block of 256 code points, one general category and one size in UTF-8; so
    each belongs to one alphabet alone, and a replacement to that of what it replaces.
    """
    category = _category(char)
    if category is None:
        return None
    return _alphabet(ord(char) // _BLOCK, category, len(char.encode()))


def _category(char: str) -> str | None:
    category = unicodedata.category(char)
    return category if category in _REPLACED or category[0] in _REPLACED else None


@lru_cache(maxsize=4096)
def _alphabet(block: int, category: str, size: int) -> Alphabet:
    candidates = map(chr, range(block * _BLOCK, (block + 1) * _BLOCK))
    return alphabet(
        "".join(char for char in candidates if _category(char) == category and len(char.encode()) == size),
    )
