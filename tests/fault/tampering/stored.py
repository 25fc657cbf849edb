"""Everything that two databases hold at a moment, in memory, and how some of it is written over."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import bson

from consumers.mongo.digests import document_digest
from consumers.mongo.layout import Collection, Database, Document


class Place(NamedTuple):
    """A collection, of the archive or of its files."""

    contents: bool
    collection: str


Stored = Mapping[Place, Mapping[bytes, Document]]
"""Every document by its place and the key of its `_id`."""

SYSTEM: Final = "system."


class Write(NamedTuple):
    """A document that is put in the place of what has that `_id`; None where that is removed."""

    place: Place
    id: Any
    document: Mapping[str, Any] | None


def key_of(identity: Any) -> bytes:
    """Return an `_id` as something that a mapping can have as a key."""
    return bson.encode({"_id": identity})


async def read(database: Database, contents: Database) -> Stored:
    """Read all of both databases, whatever collections these have."""
    found: dict[Place, dict[bytes, Document]] = {}
    for of_files, one in ((False, database), (True, contents)):
        for name in sorted(await one.list_collection_names()):
            if not name.startswith(SYSTEM):
                documents = await one[name].find(sort=[("_id", 1)]).to_list(None)
                found[Place(of_files, name)] = {key_of(document["_id"]): document for document in documents}
    return found


async def write(database: Database, contents: Database, writes: Iterable[Write]) -> None:
    """Write past every adapter, as somebody with a shell can; what goes goes first, since it may be in the way."""
    gone: dict[Place, list[Any]] = {}
    come: dict[Place, list[Any]] = {}
    for place, identity, document in writes:
        gone.setdefault(place, []).append(identity)
        if document is not None:
            come.setdefault(place, []).append(document)
    for place, names in gone.items():
        await _at(database, contents, place).delete_many({"_id": {"$in": names}})
    for place, documents in come.items():
        await _at(database, contents, place).insert_many(documents)


def _at(database: Database, contents: Database, place: Place) -> Collection:
    return (contents if place.contents else database)[place.collection]


def undo(stored: Stored, writes: Iterable[Write]) -> list[Write]:
    """Return the writes that bring back what is stored here."""
    return [one._replace(document=replaced_by(stored, one)) for one in writes]


def replaced_by(stored: Stored, write: Write) -> Document | None:
    """Return what is stored where the write goes."""
    return stored.get(write.place, {}).get(key_of(write.id))


def changes(stored: Stored, writes: Iterable[Write]) -> list[Write]:
    """Return those of the writes that change anything; the order of fields is nothing."""
    return [one for one in writes if _changes(replaced_by(stored, one), one.document)]


def _changes(was: Document | None, document: Mapping[str, Any] | None) -> bool:
    return (was is None) != (document is None) or bool(differing(was or {}, document or {}))


def differing(was: Mapping[str, Any], document: Mapping[str, Any], path: str = "") -> set[str]:
    """Return the names of the fields that differ, with dots for those within others; types count."""
    found: set[str] = set()
    for name in was.keys() | document.keys():
        one, other = was.get(name), document.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found |= differing(one, other, f"{path}{name}.")
        elif (name in was) != (name in document) or document_digest({"": one}) != document_digest({"": other}):
            found.add(f"{path}{name}")
    return found
