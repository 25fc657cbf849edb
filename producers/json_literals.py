"""JSON text whose strings are replaced where they stand: layout, order of members and escapes stay as they are."""

import json
import re
from collections.abc import Callable
from typing import Final

_TOKEN: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"(\s*:)?|[0-9]+', re.DOTALL)
_UNIT: Final = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|[^\\]", re.DOTALL)

Replace = Callable[[str, str], str]
"""Gets a member's name and a string in its value, and returns a string of as many characters."""


def replaced(text: str, name: Callable[[str], str], value: Replace, numbers: frozenset[str]) -> str:
    """Return the valid JSON text with every member's name and every string value replaced.

    Numbers under other names than `numbers` become as many ones, so that a number can say nothing either. A character
    that was escaped stays escaped, if it is another one now, and no other is.
    """
    member = ""

    def token(match: re.Match[str]) -> str:
        nonlocal member
        written = match[1]
        if written is None:
            return match[0] if member in numbers else "1" * len(match[0])
        said = written if "\\" not in written else str(json.loads(f'"{written}"'))
        if match[2] is not None:
            member = said
            return f'"{_escaped(written, said, name(said))}"{match[2]}'
        return f'"{_escaped(written, said, value(member, said))}"'

    return _TOKEN.sub(token, text)


def _escaped(written: str, said: str, new: str) -> str:
    """Write the new characters in the way in which those that they replace were written."""
    if said == new:
        return written
    if "\\" not in written:
        return new
    return "".join(_unit(unit, old, char) for unit, old, char in zip(_UNIT.findall(written), said, new, strict=True))


def _unit(unit: str, old: str, char: str) -> str:
    if old == char or len(unit) == 1:
        return unit if old == char else char
    return "".join(f"\\u{code:04x}" for code in _code_units(char))


def _code_units(char: str) -> list[int]:
    packed = char.encode("utf-16-be")
    return [int.from_bytes(packed[place : place + 2], "big") for place in range(0, len(packed), 2)]
