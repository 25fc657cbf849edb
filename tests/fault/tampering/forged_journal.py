"""Forgeries of journals, by somebody who has no key: entries altered, removed, added, exchanged, signed by another."""

from collections.abc import Mapping
from random import Random
from typing import Final

from consumers.audit.journal import Act, Entry, Head, canonical, digest_of, write_entry
from consumers.mongo.journal import entry_document, entry_of, head_document
from consumers.mongo.layout import CHECKPOINTS, HEADS, JOURNAL, SEGMENTS, Document
from tests.fault.tampering.stored import Place, Write
from tests.fault.tampering.view import Forgery, View, gone, inserted, one_of, replaced


def _chain(dice: Random, view: View, least: int = 1) -> list[Entry] | None:
    """Return the entries of some chain that has so many."""
    chains: dict[str, list[Entry]] = {}
    for document in view.all(JOURNAL):
        chains.setdefault(document["_id"]["chain"], []).append(entry_of(document))
    found = [sorted(chains[name], key=lambda one: one.number) for name in sorted(chains) if len(chains[name]) >= least]
    return dice.choice(found) if found else None


def _head(view: View, chain: str, head: Head) -> list[Write]:
    """Return the write that moves the head of a chain, wherever that is."""
    kept = view.all(HEADS, _id=chain)
    if kept:
        return [replaced(HEADS, kept[0], **head_document(head))]
    return [replaced(CHECKPOINTS, one, entry=head_document(head)) for one in view.all(CHECKPOINTS, _id=chain)]


def _body(dice: Random, view: View) -> list[Write] | None:
    """An entry says something else, and has the hash of what it says; its signature is the old one, or another's."""
    if (chain := _chain(dice, view)) is None:
        return None
    was = dice.choice(chain)
    facts = was.facts()
    name = dice.choice(sorted(facts))
    facts[name] = dice.choice((None, 0, "x", facts[name] + 1 if isinstance(facts[name], int) else [facts[name]]))
    body = canonical(facts)
    digest = digest_of(was.chain, was.number, was.previous, was.act, body)
    changed = was._replace(body=body, hash=digest)
    if dice.random() < 0.5:
        key = dice.choice((was.key, view.signer.key))
        changed = changed._replace(key=key, signature=view.signer.sign(digest))
    head = _head(view, was.chain, Head(was.number, digest)) if was is chain[-1] else []
    return [inserted(JOURNAL, entry_document(changed)), *head]


def _signed_anew(dice: Random, view: View) -> list[Write] | None:
    """An entry is signed by another key, under its name or under the archive's."""
    if (chain := _chain(dice, view)) is None:
        return None
    was = dice.choice(chain)
    key = dice.choice((was.key, view.signer.key))
    return [inserted(JOURNAL, entry_document(was._replace(key=key, signature=view.signer.sign(was.hash))))]


def _written_anew(dice: Random, view: View) -> list[Write] | None:
    """A chain is written anew from some entry on, whole and in order, by another key; its head is moved with it."""
    if (chain := _chain(dice, view)) is None:
        return None
    first = dice.randrange(len(chain))
    head = Head(chain[first].number - 1, chain[first].previous)
    writes = []
    for was in chain[first:]:
        entry = write_entry(was.chain, head, was.act, was.facts(), view.signer)
        head = Head(entry.number, entry.hash)
        writes.append(inserted(JOURNAL, entry_document(entry)))
    return [*writes, *_head(view, chain[0].chain, head)]


def _appended(dice: Random, view: View) -> list[Write] | None:
    """One more entry, in good order, by another key or with an old signature; the head is moved to it, or is not."""
    if (chain := _chain(dice, view)) is None:
        return None
    last, like = chain[-1], dice.choice(chain)
    entry = write_entry(last.chain, Head(last.number, last.hash), like.act, like.facts(), view.signer)
    if dice.random() < 0.5:
        entry = entry._replace(key=like.key, signature=like.signature)
    moved = _head(view, last.chain, Head(entry.number, entry.hash)) if dice.random() < 0.7 else []
    return [inserted(JOURNAL, entry_document(entry)), *moved]


def _begun(dice: Random, view: View) -> list[Write] | None:
    """A chain that there was not, of a lane that there was not."""
    if (chain := _chain(dice, view)) is None:
        return None
    like = dice.choice(chain)
    entry = write_entry("lync.conversations/77", Head(), like.act, like.facts(), view.signer)
    if dice.random() < 0.5:
        entry = like._replace(chain="lync.conversations/77", number=1)
    return [inserted(JOURNAL, entry_document(entry))]


def _cut(dice: Random, view: View) -> list[Write] | None:
    """The last entry is gone, with the segments that it added, or without; or it and the head are, without these."""
    if (chain := _chain(dice, view)) is None:
        return None
    last = chain[-1]
    written = _segments(view, last)
    cut = gone(JOURNAL, view.all(JOURNAL, _id={"chain": last.chain, "number": last.number}))
    turned = _head(view, last.chain, Head(last.number - 1, last.previous))
    if dice.random() < 0.4:
        return [*cut, *gone(SEGMENTS, written)]
    left = written or last.act is not Act.COMMIT  # of a commit that wrote nothing nothing is left
    return [*cut, *turned] if left and last.act is not Act.SESSION and dice.random() < 0.6 else cut


def _segments(view: View, entry: Entry) -> list[Document]:
    return [one for one in view.all(SEGMENTS) if (one.get("chain"), one.get("entry")) == (entry.chain, entry.number)]


def _hole(dice: Random, view: View) -> list[Write] | None:
    """An entry amid others is gone, and those behind it are one further to the front."""
    if (chain := _chain(dice, view, 2)) is None:
        return None
    place = dice.randrange(len(chain) - 1)
    writes = gone(JOURNAL, view.all(JOURNAL, _id={"chain": chain[-1].chain, "number": chain[-1].number}))
    closed = [entry._replace(number=entry.number - 1) for entry in chain[place + 1 :]]
    return [*writes, *(inserted(JOURNAL, entry_document(entry)) for entry in closed)]


def _exchanged(dice: Random, view: View) -> list[Write] | None:
    """Two neighbours are exchanged."""
    if (chain := _chain(dice, view, 2)) is None:
        return None
    place = dice.randrange(len(chain) - 1)
    one, other = chain[place], chain[place + 1]
    turned = (one._replace(number=other.number), other._replace(number=one.number))
    return [inserted(JOURNAL, entry_document(entry)) for entry in turned]


def _behind(dice: Random, view: View) -> list[Write] | None:
    """The head is at an earlier entry."""
    if (chain := _chain(dice, view)) is None:
        return None
    was = dice.choice(chain)
    return _head(view, was.chain, Head(was.number - 1, was.previous))


def _all_back(dice: Random, view: View) -> list[Write] | None:
    """Everything is as it was, but the journal is as it is; or the other way round."""
    then = dice.choice(view.earlier[:-1] or view.earlier)
    journal = dice.random() < 0.5
    writes: list[Write] = []
    for place, documents in view.now.items():
        if (place == Place(False, JOURNAL)) is journal and not place.contents:
            was = then.get(place, {})
            writes += [Write(place, one["_id"], was.get(key)) for key, one in {**was, **documents}.items()]
    return writes


def _key_of(dice: Random, view: View) -> list[Write] | None:
    """An entry names a key that nobody knows."""
    was = one_of(dice, view.all(JOURNAL))
    return None if was is None else [replaced(JOURNAL, was, key=view.signer.key)]


CHAINS: Final[Mapping[str, Forgery]] = {
    "body": _body,
    "signed anew": _signed_anew,
    "written anew": _written_anew,
    "appended": _appended,
    "begun": _begun,
    "cut": _cut,
    "hole": _hole,
    "exchanged": _exchanged,
    "behind": _behind,
    "all back": _all_back,
    "key of nobody": _key_of,
}
