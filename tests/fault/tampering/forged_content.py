"""Forgeries of what people said and see: segments, conversations, items, copies, files, mailboxes."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any, Final

from consumers.filing import item_id
from consumers.mongo.documents import segment_document, segment_of
from consumers.mongo.layout import (
    ATTACHMENTS,
    CHUNKS,
    CONVERSATIONS,
    FILES,
    ITEMS,
    MAILBOXES,
    PURGES,
    SEGMENTS,
    Document,
)
from consumers.segment import seal
from tests.fault.tampering.stored import Place, Write, key_of
from tests.fault.tampering.view import Forgery, View, gone, inserted, one_of, replaced

STRANGER: Final = "sip:mallory@contoso.com"


def _said_otherwise(dice: Random, view: View) -> list[Write] | None:
    """A text is another, sealed again, and the conversation's newest hash with it."""
    was = one_of(dice, (one for one in view.all(SEGMENTS) if '"text":' in one.get("events", "")))
    if was is None:
        return None
    text = was["events"].replace('"text":"', '"text":"not ', 1)
    digest = _sealed(was, text)
    writes = [replaced(SEGMENTS, was, events=text, hash=digest)]
    heads = view.all(CONVERSATIONS, head=was["hash"])
    return [*writes, *(replaced(CONVERSATIONS, one, head=digest) for one in heads)]


def _sealed(was: Document, text: str) -> bytes:
    digest = hashlib.sha256(bytes(was["previous"]))
    digest.update(text.encode())
    return digest.digest()


def _said_more(dice: Random, view: View) -> list[Write] | None:
    """One more event behind the last, sealed on the newest hash; the conversation holds it, or does not say so."""
    was = one_of(dice, (one for one in view.all(CONVERSATIONS) if one["segments"]))
    newest = was and view.all(SEGMENTS, hash=was["head"])
    if not was or not newest:
        return None
    segment = segment_of(newest[0])
    event = segment.events[-1]._replace(sequence=was["held"][-1][1] + 1, id="forged")
    more = seal(segment.conversation, segment.ordinal + 1, (event,), segment.hash)
    added = {name: newest[0][name] for name in ("chain", "entry") if name in newest[0]}
    writes = [inserted(SEGMENTS, segment_document(more) | added)]
    if dice.random() < 0.5:
        held = [*was["held"][:-1], [was["held"][-1][0], event.sequence]]
        facts = {"held": held, "head": more.hash, "segments": was["segments"] + 1, "revision": was["revision"] + 1}
        writes.append(replaced(CONVERSATIONS, was, **facts))
    return writes


def _unsaid(dice: Random, view: View) -> list[Write] | None:
    """A conversation is gone, with everything that is of it."""
    was = one_of(dice, view.all(CONVERSATIONS))
    if was is None:
        return None
    name = was["_id"]
    of_it = [one for kind in (SEGMENTS, ATTACHMENTS) for one in gone(kind, view.all(kind)) if _of(one, name)]
    shown = [one for kind in (ITEMS, PURGES) for one in gone(kind, view.all(kind, conversation=name))]
    return [*gone(CONVERSATIONS, [was]), *of_it, *shown]


def _of(write: Write, conversation: str) -> bool:
    return bool(write.id["conversation"] == conversation)


def _cut_short(dice: Random, view: View) -> list[Write] | None:
    """The last segment is gone, and the conversation, its items and copies are as they were before it."""
    then = dice.choice(view.earlier[:-1] or view.earlier)
    places = [Place(False, kind) for kind in (CONVERSATIONS, SEGMENTS, ITEMS, PURGES, ATTACHMENTS)]
    moved = [one for one in view.all(CONVERSATIONS) if then[places[0]].get(key_of(one["_id"])) != one]
    was = one_of(dice, moved)
    if was is None:
        return None
    writes = []
    for place in places:
        for key, one in {**then[place], **view.now[place]}.items():
            about = one["_id"] if place is places[0] else one.get("conversation") or one["_id"]["conversation"]
            if about == was["_id"]:
                writes.append(Write(place, one["_id"], then[place].get(key)))
    return writes


def _handed_on(dice: Random, view: View) -> list[Write] | None:
    """An item or a copy lies in another mailbox, under the name that it has there."""
    kind = dice.choice((ITEMS, PURGES))
    was = one_of(dice, view.all(kind))
    if was is None:
        return None
    mailbox = dice.choice([one["_id"] for one in view.all(MAILBOXES) if one["_id"] != was["mailbox"]] + [STRANGER])
    name = item_id(mailbox, was["conversation"])
    kept = gone(kind, [was]) if dice.random() < 0.5 else []
    if key_of(name) in view.now[Place(False, kind)]:
        return None
    return [*kept, inserted(kind, {**was, "_id": name, "mailbox": mailbox})]


def _shown_more(dice: Random, view: View) -> list[Write] | None:
    """Somebody sees one more range, or until the end."""
    kind = dice.choice((ITEMS, ITEMS, PURGES))
    was = one_of(dice, (one for one in view.all(kind) if one.get("visible")))
    if was is None:
        return None
    first, last = was["visible"][-1]
    more = dice.choice(([[1, 1]], [[(last or first) + 1, None]]))
    widened = [*was["visible"][:-1], [first, None if last is not None else first]]
    return [replaced(kind, was, visible=dice.choice((was["visible"] + more, widened)))]


def _undeleted(dice: Random, view: View) -> list[Write] | None:
    was = one_of(dice, (one for one in view.all(ITEMS) if one.get("deleted")))
    if was is None:
        return None
    without = {name: value for name, value in was.items() if name != "deleted"}
    return [dice.choice((replaced(ITEMS, was, deleted=None), inserted(ITEMS, without)))]


def _deleted(dice: Random, view: View) -> list[Write] | None:
    """An item is marked as its user's own deletion would have marked it."""
    was = one_of(dice, (one for one in view.all(ITEMS) if not one.get("deleted")))
    marks = [one["deleted"] for one in view.all(ITEMS) if one.get("deleted")]
    return None if was is None or not marks else [replaced(ITEMS, was, deleted=dice.choice(marks))]


def _archived_elsewhere(dice: Random, view: View) -> list[Write] | None:
    was = one_of(dice, view.all(PURGES))
    return (
        None if was is None else [replaced(PURGES, was, target="lync" if was["target"] == "exchange" else "exchange")]
    )


def _archived_for(dice: Random, view: View) -> list[Write] | None:
    """An item's archived copy, which policies did not ask for."""
    was = one_of(dice, (one for one in view.all(ITEMS) if not view.all(PURGES, _id=one["_id"])))
    if was is None:
        return None
    facts = {name: value for name, value in was.items() if name != "deleted"}
    return [
        inserted(PURGES, {**facts, "folder": "recoverableitemspurges", "target": dice.choice(("lync", "exchange"))})
    ]


def _file_there(dice: Random, view: View) -> list[Write] | None:
    """A file is said to be there that is not, or the other way round."""
    was = one_of(dice, view.all(ATTACHMENTS))
    if was is None:
        return None
    return [
        replaced(ATTACHMENTS, was, state="stored" if was["state"] != "stored" else dice.choice(("missing", "wrong")))
    ]


def _referred(dice: Random, view: View) -> list[tuple[Document, list[Document]]]:
    """The files that are archived: each with its chunks."""
    names = {one["sha256"] for one in view.all(ATTACHMENTS, state="stored")}
    files = [one for one in view.all(FILES, of_files=True) if one["_id"] in names]
    return [(one, view.all(CHUNKS, of_files=True, files_id=one["_id"])) for one in files]


def _file_altered(dice: Random, view: View) -> list[Write] | None:
    """A file has other bytes: as many, or more, and says so of itself."""
    found = [(file, chunks) for file, chunks in _referred(dice, view) if chunks]
    if not found:
        return None
    file, chunks = dice.choice(found)
    was = dice.choice(chunks)
    data = bytearray(was["data"])
    if dice.random() < 0.6:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        return [replaced(CHUNKS, was, of_files=True, data=bytes(data))]
    longer = replaced(CHUNKS, was, of_files=True, data=bytes(data) + b"!")
    metadata = {**file["metadata"], "verified": True}
    return [longer, replaced(FILES, file, of_files=True, length=file["length"] + 1, metadata=metadata)]


def _file_gone(dice: Random, view: View) -> list[Write] | None:
    """A file is gone, a chunk of it, or it is said to be arriving still."""
    if not (found := _referred(dice, view)):
        return None
    file, chunks = dice.choice(found)
    whole = [*gone(FILES, [file], of_files=True), *gone(CHUNKS, chunks, of_files=True)]
    arriving = [replaced(FILES, file, of_files=True, metadata={**file["metadata"], "state": "arriving"})]
    return dice.choice((whole, gone(CHUNKS, chunks[:1], of_files=True) or whole, arriving))


def _renamed(dice: Random, view: View) -> list[Write] | None:
    """A mailbox has another name, or another folder; or there is one more."""
    was = one_of(dice, view.all(MAILBOXES))
    if was is None:
        return None
    named: dict[str, Any] = dict(was["named"])
    earlier = {**named, "name": "Mallory", "at": "2026-01-04T00:00:00Z"}
    return dice.choice(
        (
            [replaced(MAILBOXES, was, named={**named, "name": "Mallory"})],
            [replaced(MAILBOXES, was, named=earlier)],
            [replaced(MAILBOXES, was, folders=was["folders"][:-1])],
            [inserted(MAILBOXES, {**was, "_id": STRANGER})],
        )
    )


def _at_another_time(dice: Random, view: View) -> list[Write] | None:
    """An item sorts elsewhere than it says."""
    was = one_of(dice, (one for one in view.all(dice.choice((ITEMS, PURGES))) if one.get("started")))
    if was is None:
        return None
    kind = PURGES if "target" in was else ITEMS
    return [replaced(kind, was, started=was["started"] + timedelta(milliseconds=dice.choice((1, -86_400_000))))]


CONTENT: Final[Mapping[str, Forgery]] = {
    "said otherwise": _said_otherwise,
    "said more": _said_more,
    "unsaid": _unsaid,
    "cut short": _cut_short,
    "handed on": _handed_on,
    "shown more": _shown_more,
    "undeleted": _undeleted,
    "deleted": _deleted,
    "archived elsewhere": _archived_elsewhere,
    "archived for": _archived_for,
    "file there": _file_there,
    "file altered": _file_altered,
    "file gone": _file_gone,
    "renamed": _renamed,
    "at another time": _at_another_time,
}
