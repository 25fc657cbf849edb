"""One conversation's documents, compared with what its events and the journal say they must be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from consumers.audit.finding import Finding
from consumers.audit.ledger import Ledger, Written
from consumers.audit.replay import Replayed, replay
from consumers.mongo import documents
from consumers.mongo.copies import copy_document
from consumers.mongo.digests import document_digest, unlike
from consumers.mongo.journal import segment_text
from consumers.mongo.layout import ATTACHMENTS, CONVERSATIONS, ITEMS, PURGES, SEGMENTS, Document
from consumers.mongo.rosters import roster_document
from consumers.policy.governance import Governance
from consumers.segment import Segment, intact
from schemas.errors import LyncArchiverError
from schemas.principals import parse_principal


@dataclass(slots=True)
class Stored:
    """All that is stored of one conversation, each collection in order of `_id`."""

    conversations: list[Document] = field(default_factory=list)
    segments: list[Document] = field(default_factory=list)
    items: list[Document] = field(default_factory=list)
    purges: list[Document] = field(default_factory=list)
    attachments: list[Document] = field(default_factory=list)


class AuditedConversation:
    """Compares one conversation; what it finds is in the order in which the conversation was written."""

    def __init__(self, name: str, stored: Stored, ledger: Ledger, governance: Callable[[int], Governance]) -> None:
        self._name = name
        self._stored = stored
        self._ledger = ledger
        self._governance = governance
        self.replayed: Replayed | None = None

    def findings(self) -> Iterator[Finding]:
        """Yield what is not as it must be; segments that cannot be replayed leave the rest unsaid."""
        if not self._stored.conversations:
            yield Finding(CONVERSATIONS, self._name, "is missing, and something of it is stored")
            return
        if self._name in self._ledger.removed or self._tombstone is not None:
            yield from self._removed()
            return
        segments: list[tuple[Segment, Written]] = []
        broken = list(self._segments(segments))
        if broken:
            yield from broken
            return
        try:
            self.replayed = replay(self._name, _by_entry(segments), self._governance, self._ledger)
        except (LyncArchiverError, KeyError) as error:
            yield Finding(SEGMENTS, self._name, f"do not make a history: {error}")
            return
        yield from self._compare(self.replayed)

    def account(self) -> None:
        """Count every segment for the entry that it says it is of, be it right or not, and those that were removed."""
        for document in self._stored.segments:
            written = self._ledger.written.get(_entry_of(document))
            line = _line(document)
            if written is not None and line is not None:
                written.add(line)
        for entry, line in _removed_lines(self._name, self._tombstone):
            written = self._ledger.written.get(entry)
            if written is not None:
                written.add(line)

    @property
    def _tombstone(self) -> Document | None:
        found = self._stored.conversations
        return found[0] if found and "removed" in found[0] else None

    def _segments(self, into: list[tuple[Segment, Written]]) -> Iterator[Finding]:
        """Read the segments in the order of their commit; stop at the first that does not go on from the others."""
        read = []
        for document in self._stored.segments:
            place = _place(document)
            segment = _segment(document)
            if segment is None:
                yield Finding(SEGMENTS, place, "is not a segment that can be read")
            else:
                read.append((segment, document, place))
        head = None
        read.sort(key=lambda one: (one[0].ordinal, one[0].first))
        for count, (segment, document, place) in enumerate(read, 1):
            if segment.ordinal != count:
                yield Finding(SEGMENTS, place, f"is number {segment.ordinal}: number {count} is missing or elsewhere")
                return
            if not intact(segment):
                yield Finding(SEGMENTS, place, "is altered: its hash is another")
                return
            if head is not None and segment.previous != head:
                yield Finding(SEGMENTS, place, "does not go on from the segment before it")
                return
            head = segment.hash
            written = self._ledger.written.get(_entry_of(document))
            if written is None:
                yield Finding(SEGMENTS, place, "is in no entry of the journal")
                return
            into.append((segment, written))
        if not into:
            yield Finding(SEGMENTS, self._name, "are missing, all of them")

    def _compare(self, replayed: Replayed) -> Iterator[Finding]:
        ledger, stored, name = self._ledger, self._stored, self._name
        conversation = replayed.conversation
        conversation = conversation._replace(revision=conversation.revision + ledger.purges[name])
        expected = {
            "_id": name,
            **documents.conversation_document(conversation, documents.lane_of(replayed.lane)),
            **roster_document(conversation),
        }
        purged = sorted(ledger.purged.get(name, ()))
        if purged:
            expected["purged"] = purged
        segments = {
            _place(document): document
            for document in (
                documents.segment_document(segment) | {"chain": written.chain, "entry": written.number}
                for segment, written in replayed.segments
            )
        }
        yield from _compared(SEGMENTS, segments, stored.segments, _place)
        yield from _compared(CONVERSATIONS, {name: expected}, stored.conversations, _id)
        yield from _compared(ITEMS, self._items(replayed), stored.items, _id)
        yield from _compared(PURGES, self._copies(replayed), stored.purges, _id)
        attachments = [documents.attachment_document(one) for one in replayed.attachments]
        yield from _compared(ATTACHMENTS, {_place(one): one for one in attachments}, stored.attachments, _place)

    def _items(self, replayed: Replayed) -> dict[str, Document]:
        found = {_id(document): document for document in self._stored.items}
        expected = {}
        for name, (item, written) in replayed.items.items():
            if name in replayed.lapsed and name not in self._ledger.deleted:
                continue
            expected[name] = {"_id": name, **documents.item_document(item), "written_by": _writer(written)}
            if name in self._ledger.deleted:
                expected[name]["deleted"] = _attested(found.get(name), "deleted", self._ledger.deleted[name])
        return expected

    def _copies(self, replayed: Replayed) -> dict[str, Document]:
        found = {_id(document): document for document in self._stored.purges}
        healed_by = self._ledger.healed_by.get(self._name, 0)
        expected = {}
        for name, (copy, written) in replayed.copies.items():
            expected[name] = {"_id": name, **copy_document(copy), "written_by": _writer(written)}
            marked_by, digest = self._ledger.exported.get(name, (0, ""))
            unmarked = name in replayed.went and "exported" not in found.get(name, {})
            if marked_by > healed_by and not unmarked:
                expected[name]["exported"] = _attested(found.get(name), "exported", digest)
        return expected

    def _removed(self) -> Iterator[Finding]:
        """Of a conversation that was removed there is the tombstone, as an act says, and nothing else."""
        if self._ledger.removed.get(self._name) != document_digest(self._stored.conversations[0]):
            yield Finding(CONVERSATIONS, self._name, "is not the tombstone that an act of the journal says")
        for collection, left in (
            (SEGMENTS, self._stored.segments),
            (ITEMS, self._stored.items),
            (PURGES, self._stored.purges),
            (ATTACHMENTS, self._stored.attachments),
        ):
            for document in left:
                yield Finding(collection, _place(document), "is of a conversation that was removed")


MISSING: Final = "is missing"
INSERTED: Final = "was never written"


def _compared(
    collection: str, expected: dict[str, Document], stored: list[Document], key: Callable[[Document], str]
) -> Iterator[Finding]:
    found: dict[str, Document] = {}
    for document in stored:
        name = key(document)
        if name in found:
            yield Finding(collection, name, "is there twice")
        found[name] = document
        if name not in expected:
            yield Finding(collection, name, INSERTED)
        elif (what := unlike(expected[name], document)) is not None:
            yield Finding(collection, name, f"is altered: {what}")
    for name in expected.keys() - found.keys():
        yield Finding(collection, name, MISSING)


def _by_entry(segments: list[tuple[Segment, Written]]) -> Iterator[tuple[Written, list[Any]]]:
    for (_, _), group in groupby(segments, key=lambda one: (one[1].chain, one[1].number)):
        listed = list(group)
        yield listed[0][1], [event for segment, _ in listed for event in segment.events]


def _attested(document: Document | None, name: str, digest: str) -> Any:
    """Return a field as it is stored where it is as an act says, else what cannot be stored."""
    value = (document or {}).get(name)
    return value if isinstance(value, dict) and document_digest(value) == digest else "as an act of the journal says"


def _writer(written: Written) -> Document:
    principal = parse_principal(written.by)
    assert principal is not None
    return {"application": principal.application, "realm": principal.realm, "token": written.token}


def _entry_of(document: Document) -> tuple[str, int]:
    chain, number = document.get("chain"), document.get("entry")
    return (chain, number) if isinstance(chain, str) and isinstance(number, int) else ("", 0)


def _segment(document: Document) -> Segment | None:
    try:
        segment = documents.segment_of(document)
    except (LyncArchiverError, KeyError, ValueError, TypeError, AttributeError):
        return None
    return segment if isinstance(segment.ordinal, int) and isinstance(segment.first, int) else None


def _removed_lines(name: str, tombstone: Document | None) -> list[tuple[tuple[str, int], bytes]]:
    if tombstone is None:
        return []
    try:
        return [
            ((chain, entry), segment_text(name, first, last, ordinal, digest))
            for first, last, ordinal, digest, chain, entry in tombstone["removed"]["segments"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _line(document: Document) -> bytes | None:
    try:
        place = document["_id"]
        return segment_text(
            place["conversation"], place["first"], document["last"], document["ordinal"], bytes(document["hash"])
        )
    except (KeyError, TypeError, ValueError):
        return None


def _id(document: Document) -> str:
    return str(document["_id"])


def _place(document: Document) -> str:
    """Name a document by its `_id`, whatever that is."""
    name = document["_id"]
    return "/".join(map(str, name.values())) if isinstance(name, dict) else str(name)
