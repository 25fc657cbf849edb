"""Values of documents, wherever they are in them: found, and made to be others."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from bson import ObjectId
from bson.datetime_ms import DatetimeMS

from consumers.mongo.layout import Document

Path = tuple[str | int, ...]
"""Names of fields and places in lists, from the outside to the inside."""


def paths(document: Mapping[str, Any]) -> list[Path]:
    """Return the way to every value of a document but its `_id`: fields and members of lists, at any depth."""
    return [path for name, value in document.items() if name != "_id" for path in _paths((name,), value)]


def _paths(path: Path, value: Any) -> Iterator[Path]:
    yield path
    members: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, Mapping):
        members = iter(value.items())
    elif isinstance(value, list):
        members = iter(enumerate(value))
    for name, member in members:
        yield from _paths((*path, name), member)


def at(document: Any, path: Path) -> Any:
    """Return the value there."""
    for name in path:
        document = document[name]
    return document


def put(document: Document, path: Path, value: Any) -> Document:
    """Return the document with another value there."""
    changed = deepcopy(document)
    at(changed, path[:-1])[path[-1]] = value
    return changed


def removed(document: Document, path: Path) -> Document:
    """Return the document without what is there."""
    changed = deepcopy(document)
    del at(changed, path[:-1])[path[-1]]
    return changed


def altered(dice: Random, value: Any) -> Any:
    """Return another value of the same type: the smallest change that there is, or a plausible one."""
    for kind, alter in ALTERATIONS.items():
        if type(value) is kind or (kind is int and isinstance(value, int) and not isinstance(value, bool)):
            return alter(dice, value)
    if value is None:
        return dice.choice((0, "", False, "x", [], {}))
    raise TypeError(f"no archive keeps a {type(value)}")


def _text(dice: Random, text: str) -> str:
    if not text:
        return dice.choice(("x", " ", "\0"))
    place = dice.randrange(len(text))
    other = dice.choice((chr(ord(text[place]) ^ 1), text[place].swapcase(), "", text[place] * 2, "é", " "))
    return text[:place] + other + text[place + 1 :] if other != text[place] else text + dice.choice(("x", " ", "\n"))


def _bytes(dice: Random, data: bytes) -> bytes:
    if not data:
        return b"\0"
    place = dice.randrange(len(data))
    flipped = bytes([data[place] ^ (1 << dice.randrange(8))])
    return dice.choice((data[:place] + flipped + data[place + 1 :],) * 3 + (data[:-1], data + b"\0", data[1:]))


def _number(dice: Random, number: int) -> int:
    return type(number)(dice.choice((number + 1, number - 1, -number - 1, number ^ 4, 2**40 + number)))


def _real(dice: Random, number: float) -> float:
    return number + dice.choice((1.0, -0.5))


def _moment(dice: Random, moment: datetime) -> datetime | DatetimeMS:
    if dice.random() < 0.1:
        return DatetimeMS(2**60)  # further than Python's dates go
    return moment + timedelta(milliseconds=dice.choice((1, -1, 1000, -3_600_000, 86_400_000)))


def _list(dice: Random, members: list[Any]) -> list[Any]:
    if not members:
        return [dice.choice((1, "x", None))]
    place = dice.randrange(len(members))
    shorter, longer = members[:place] + members[place + 1 :], [*members, deepcopy(members[place])]
    turned = members[::-1]
    return dice.choice((shorter, longer, turned if turned != members else shorter))


def _mapping(dice: Random, members: Document) -> Document:
    return {**members, dice.choice(("x", "at2", "_id")): dice.choice((1, "x", None))}


def _name(dice: Random, name: ObjectId) -> ObjectId:
    data = bytearray(name.binary)
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return ObjectId(bytes(data))


ALTERATIONS: Final[dict[type, Callable[[Random, Any], Any]]] = {
    str: _text,
    bytes: _bytes,
    bool: lambda _, value: not value,
    int: _number,
    float: _real,
    datetime: _moment,
    list: _list,
    dict: _mapping,
    ObjectId: _name,
}


def recast(dice: Random, value: Any) -> Any:
    """Return what looks the same and is of another type."""
    others: list[Any] = [str(value), None, [value], {"value": value}]
    if isinstance(value, bool):
        others.append(int(value))
    elif isinstance(value, int):
        others += [float(value), bool(value)]
    elif isinstance(value, str):
        others.append(value.encode())
    elif isinstance(value, datetime):
        others.append(int(value.timestamp() * 1000))
    others = [other for other in others if type(other) is not type(value)]
    return dice.choice(others)
