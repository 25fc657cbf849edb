"""Where what the mailboxes of two archives show differs: mailbox by mailbox, item by item, entry by entry.

People's words are never part of a difference: of them it has the length and a hash.
"""

import hashlib
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, NamedTuple

from consumers.reading import ArchiveReader, ListedItem, Mailbox
from deploy.digest import entry_documents, item_hash
from deploy.export import head_document
from deploy.merge_join import side_by_side


class What(StrEnum):
    """What is different. `order`: the entries' sequences do not rise; `repeated`: one sequence has several entries."""

    MISSING_IN_A = "missing-in-a"
    MISSING_IN_B = "missing-in-b"
    TEXT = "text"
    ATTRIBUTE = "attribute"
    ORDER_IN_A = "order-in-a"
    ORDER_IN_B = "order-in-b"
    REPEATED_IN_A = "repeated-in-a"
    REPEATED_IN_B = "repeated-in-b"


class Level(StrEnum):
    """What a difference is of."""

    MAILBOX = "mailbox"
    ITEM = "item"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, and where it is: `place` has the mailbox, and for items and entries what names them.

    `attribute` is a field of the export; `a` and `b` are what the archives have there, of texts `{length, sha256}`.
    """

    level: Level
    what: What
    place: Mapping[str, Any]
    attribute: str | None = None
    a: Any = None
    b: Any = None

    def document(self) -> dict[str, Any]:
        """Return the difference as one JSON object."""
        values = {} if self.attribute is None else {"attribute": self.attribute, "a": self.a, "b": self.b}
        return {"level": str(self.level), "what": str(self.what), **self.place, **values}


class _Line(NamedTuple):
    """An entry without its text."""

    sequence: int
    at: str
    kind: str
    sip: str
    name: dict[str, Any]
    text: dict[str, Any]
    attachments: Any = None


PAGE_ITEMS: Final = 50
"""Items that are looked up in the other archive at once."""

_WORDS: Final = frozenset({"name", "subject", "participants"})
"""Attributes that hold what people call themselves and what they talk about."""


async def differences(a: ArchiveReader, b: ArchiveReader) -> AsyncGenerator[Difference]:
    """Stream all differences of two archives that nobody writes meanwhile, by mailbox and item.

    There are none just where the digests are equal. Items are paired by id, so their order does not matter; the
    entries of an item that is missing are not listed. Memory is bounded by a page of items, and by the entries, without
    text, of one that differs.
    """
    async for one, two in side_by_side(a.mailboxes(), b.mailboxes(), _user):
        if one is not None and two is not None:
            if one.name != two.name:
                yield _attribute(Level.MAILBOX, {"mailbox": one.user}, "name", one.name, two.name)
            async for found in _mailbox_differences(a, b, one.user):
                yield found
        elif one is not None:
            async for found in _missing(a, one, What.MISSING_IN_B):
                yield found
        elif two is not None:
            async for found in _missing(b, two, What.MISSING_IN_A):
                yield found


async def _missing(reader: ArchiveReader, mailbox: Mailbox, what: What) -> AsyncIterator[Difference]:
    yield Difference(Level.MAILBOX, what, {"mailbox": mailbox.user})
    async for listed in reader.all_items(mailbox.user):
        yield Difference(Level.ITEM, what, _place(listed))


async def _mailbox_differences(a: ArchiveReader, b: ArchiveReader, user: str) -> AsyncIterator[Difference]:
    """By id, of all items of A first, then of those that B alone has."""
    async for page in _pages(a.all_items(user)):
        others = await b.items_among(user, [listed.item.id for listed in page])
        for listed in page:
            async for found in _item_differences(a, listed, b, others.get(listed.item.id)):
                yield found
    async for page in _pages(b.all_items(user)):
        known = await a.items_among(user, [listed.item.id for listed in page])
        for listed in page:
            if listed.item.id not in known:
                yield Difference(Level.ITEM, What.MISSING_IN_A, _place(listed))


async def _pages(items: AsyncIterator[ListedItem]) -> AsyncIterator[list[ListedItem]]:
    page: list[ListedItem] = []
    async for listed in items:
        page.append(listed)
        if len(page) == PAGE_ITEMS:
            yield page
            page = []
    yield page


async def _item_differences(
    a: ArchiveReader, one: ListedItem, b: ArchiveReader, two: ListedItem | None
) -> AsyncIterator[Difference]:
    if two is None:
        yield Difference(Level.ITEM, What.MISSING_IN_B, _place(one))
        return
    if await item_hash(a, one) == await item_hash(b, two):
        return
    place = _place(one)
    mine, other = head_document(one), head_document(two)
    for name in mine:
        if mine[name] != other[name]:
            yield _attribute(Level.ITEM, place, name, mine[name], other[name])
    for found in _entry_differences(place, await _lines(a, one), await _lines(b, two)):
        yield found


def _entry_differences(place: Mapping[str, Any], a: list[_Line], b: list[_Line]) -> Iterator[Difference]:
    for lines, order, repeated in (
        (a, What.ORDER_IN_A, What.REPEATED_IN_A),
        (b, What.ORDER_IN_B, What.REPEATED_IN_B),
    ):
        for before, line in pairwise(lines):
            if line.sequence < before.sequence:
                yield Difference(Level.ENTRY, order, _at(place, line))
        for sequence, count in sorted(Counter(line.sequence for line in lines).items()):
            if count > 1:
                yield Difference(Level.ENTRY, repeated, {**place, "sequence": sequence})
    mine, other = {line.sequence: line for line in a}, {line.sequence: line for line in b}
    for sequence in sorted(mine.keys() | other.keys()):
        yield from _line_differences(place, mine.get(sequence), other.get(sequence))


def _line_differences(place: Mapping[str, Any], one: _Line | None, two: _Line | None) -> Iterator[Difference]:
    if one is None or two is None:
        known = one or two
        assert known is not None
        yield Difference(Level.ENTRY, What.MISSING_IN_A if one is None else What.MISSING_IN_B, _at(place, known))
        return
    for name in _Line._fields:
        mine, other = getattr(one, name), getattr(two, name)
        if mine != other:
            what = What.TEXT if name == "text" else What.ATTRIBUTE
            yield Difference(Level.ENTRY, what, _at(place, one), name, mine, other)


async def _lines(reader: ArchiveReader, listed: ListedItem) -> list[_Line]:
    return [
        _Line(**entry | {"name": _hidden(entry["name"]), "text": _hidden(entry["text"]), **_files(entry)})
        async for entry in entry_documents(reader, listed)
    ]


def _files(entry: dict[str, Any]) -> dict[str, Any]:
    files = [file | {"name": _hidden(file["name"])} for file in entry.get("attachments", ())]
    return {"attachments": files} if files else {}


def _attribute(level: Level, place: Mapping[str, Any], name: str, a: object, b: object) -> Difference:
    if name in _WORDS:
        a, b = _hidden(a), _hidden(b)
    return Difference(level, What.ATTRIBUTE, place, name, a, b)


def _hidden(words: object) -> dict[str, Any]:
    """Return what tells words apart without saying them; of a list, as JSON."""
    text = words if isinstance(words, str) else json.dumps(words, sort_keys=True)
    hashed = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return {"length": len(words) if isinstance(words, str | list) else len(text), "sha256": hashed}


def _place(listed: ListedItem) -> dict[str, Any]:
    item = listed.item
    return {
        "mailbox": item.mailbox,
        "item": item.id,
        "folder": str(item.folder),
        "conversation": item.conversation,
        "started_at": item.started_at,
    }


def _at(place: Mapping[str, Any], line: _Line) -> dict[str, Any]:
    return {**place, "sequence": line.sequence, "kind": line.kind, "at": line.at, "sip": line.sip}


def _user(mailbox: Mailbox) -> str:
    return mailbox.user
