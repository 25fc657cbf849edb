"""Mutations of any document of any collection: what somebody may do who knows nothing of what it means."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from random import Random
from struct import pack
from typing import Any, Final, NamedTuple

import bson
from bson import ObjectId
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from consumers.mongo.layout import Document
from tests.fault.tampering.stored import Place, Stored, Write, key_of
from tests.fault.tampering.values import altered, at, paths, put, recast, removed

Earlier = list[Stored]
"""The moments of an archive, in their order; the last one is now."""


LENIENT: Final[CodecOptions[RawBSONDocument]] = CodecOptions(
    document_class=RawBSONDocument, tz_aware=True, unicode_decode_error_handler="backslashreplace"
)
"""Reads what is no UTF-8, too."""


class Mutation(NamedTuple):
    """What is done, in a word, and all that is written for it."""

    kind: str
    writes: list[Write]


ODD_NAMES: Final = 0.15

Blind = Callable[[Random, Earlier, Place], list[Write] | None]
"""A mutation of some document of a collection; None where there is nothing that it could be done to."""


def _one(dice: Random, earlier: Earlier, place: Place) -> Document:
    return dice.choice(list(earlier[-1][place].values()))


def _two(dice: Random, earlier: Earlier, place: Place) -> tuple[Document, Document] | None:
    found = list(earlier[-1][place].values())
    if len(found) < 2:
        return None
    one, other = dice.sample(found, 2)
    return one, other


def _replaced(place: Place, document: Document) -> Write:
    return Write(place, document["_id"], document)


def _altered(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    """A byte, a bit or a value is another."""
    document = _one(dice, earlier, place)
    if not (found := paths(document)):
        return None
    path = dice.choice(found)
    return [_replaced(place, put(document, path, altered(dice, at(document, path))))]


def _recast(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    """A value is of another type."""
    document = _one(dice, earlier, place)
    if not (found := paths(document)):
        return None
    path = dice.choice(found)
    return [_replaced(place, put(document, path, recast(dice, at(document, path))))]


def _garbled(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    """A byte of a text is no UTF-8 any more."""
    document = _one(dice, earlier, place)
    texts = [path for path in paths(document) if isinstance(at(document, path), str) and at(document, path)]
    if not texts:
        return None
    path = dice.choice(texts)
    text = at(document, path).encode()
    raw = bytearray(bson.encode(document))
    found = raw.find(b"%s\0%s%s\0" % (str(path[-1]).encode(), pack("<i", len(text) + 1), text))
    first = found + len(str(path[-1]).encode()) + 5
    raw[first + dice.randrange(len(text))] ^= 0x80
    return [Write(place, document["_id"], RawBSONDocument(bytes(raw), LENIENT))]


def _field_removed(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    document = _one(dice, earlier, place)
    if not (found := paths(document)):
        return None
    return [_replaced(place, removed(document, dice.choice(found)))]


def _field_renamed(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    document = _one(dice, earlier, place)
    named = [path for path in paths(document) if isinstance(path[-1], str)]
    if not named:
        return None
    path = dice.choice(named)
    name = str(path[-1])
    other = dice.choice((f"{name}_", name.title(), name[:-1] or "x"))
    return [_replaced(place, put(removed(document, path), (*path[:-1], other), at(document, path)))]


def _field_added(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    document = _one(dice, earlier, place)
    inside = [(), *(path for path in paths(document) if isinstance(at(document, path), Mapping))]
    name = dice.choice(("deleted", "state", "note", "mailbox", "version"))
    value: Any = dice.choice((None, True, 0, "x", {}))
    return [_replaced(place, put(document, (*dice.choice(inside), name), value))]


def _removed(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    return [Write(place, _one(dice, earlier, place)["_id"], None)]


def _doubled(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    """The same once more, under another name."""
    document = _one(dice, earlier, place)
    name = another_id(dice, document["_id"])
    return None if key_of(name) in earlier[-1][place] else [Write(place, name, {**document, "_id": name})]


def _moved(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    """The same under another name, and no more under its own."""
    document = _one(dice, earlier, place)
    name = another_id(dice, document["_id"])
    if key_of(name) in earlier[-1][place]:
        return None
    return [Write(place, document["_id"], None), Write(place, name, {**document, "_id": name})]


def _swapped(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    if (found := _two(dice, earlier, place)) is None:
        return None
    one, other = found
    return [_replaced(place, {**other, "_id": one["_id"]}), _replaced(place, {**one, "_id": other["_id"]})]


def _field_swapped(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    if (found := _two(dice, earlier, place)) is None:
        return None
    one, other = found
    names = [name for name in one if name != "_id" and name in other and one[name] != other[name]]
    if not names:
        return None
    name = dice.choice(names)
    return [_replaced(place, {**one, name: other[name]}), _replaced(place, {**other, name: one[name]})]


def _overwritten(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    """One has the content of another."""
    if (found := _two(dice, earlier, place)) is None:
        return None
    return [_replaced(place, {**found[1], "_id": found[0]["_id"]})]


def _rolled_back(dice: Random, earlier: Earlier, place: Place) -> list[Write] | None:
    """One is as it was at an earlier moment, be it not there yet, or there again."""
    was, now = dice.choice(earlier[:-1] or earlier)[place] if _has(earlier, place) else {}, earlier[-1][place]
    names = [key for key in {**was, **now} if was.get(key) != now.get(key)]
    if not names:
        return None
    key = dice.choice(sorted(names))
    name = (was.get(key) or now[key])["_id"]
    return [Write(place, name, was.get(key))]


def _has(earlier: Earlier, place: Place) -> bool:
    return all(place in stored for stored in earlier)


def another_id(dice: Random, name: Any) -> Any:
    """Return a name that looks like one of its kind; now and then one of another kind, or the same otherwise put."""
    if dice.random() >= ODD_NAMES:
        return _like(dice, name)
    turned = [{part: name[part] for part in reversed(list(name))}] if isinstance(name, Mapping) else []
    return dice.choice(({"name": name}, 7, ObjectId(b"forged id!!!"), *turned))


def _like(dice: Random, name: Any) -> Any:
    if isinstance(name, Mapping):
        member = dice.choice(list(name))
        return {**deepcopy(dict(name)), member: _like(dice, name[member])}
    if isinstance(name, str):
        digits = [place for place, letter in enumerate(name) if letter.isdigit()]
        if digits and dice.random() < 0.7:
            place = dice.choice(digits)
            return name[:place] + str((int(name[place]) + 1) % 10) + name[place + 1 :]
        return name + dice.choice(("1", "x"))
    if isinstance(name, int):
        return name + dice.choice((1, 7))
    if isinstance(name, ObjectId):
        return altered(dice, name)
    raise TypeError(f"no archive names anything by a {type(name)}")


BLIND: Final[Mapping[str, Blind]] = {
    "altered": _altered,
    "altered, too": _altered,
    "recast": _recast,
    "garbled": _garbled,
    "field removed": _field_removed,
    "field renamed": _field_renamed,
    "field added": _field_added,
    "removed": _removed,
    "doubled": _doubled,
    "moved": _moved,
    "swapped": _swapped,
    "field swapped": _field_swapped,
    "overwritten": _overwritten,
    "rolled back": _rolled_back,
}
"""By name. Alterations, of which there are the most, come twice."""
