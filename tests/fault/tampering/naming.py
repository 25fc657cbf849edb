"""Whether a finding names what was done: the document itself, or one that contradicts it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from consumers.audit.finding import Finding
from consumers.mongo import audit, audited_content
from consumers.mongo.digests import document_digest
from consumers.mongo.layout import (
    ARCHIVES,
    ATTACHMENTS,
    CHECKPOINTS,
    CHUNKS,
    CONVERSATIONS,
    FENCES,
    FILES,
    ITEMS,
    JOURNAL,
    PURGES,
    SEGMENTS,
)
from tests.fault.tampering.stored import Place, Stored, Write, differing, key_of, replaced_by

EXCLUDED: Final = {**audit.UNATTESTED, **audited_content.UNATTESTED}
"""What the auditor says that nothing vouches for: a mutation of nothing else is none that counts."""

OF_CONVERSATIONS: Final = frozenset({SEGMENTS, CONVERSATIONS, ITEMS, PURGES, ATTACHMENTS})


def named(finding: Finding, write: Write) -> bool:
    """Return whether the finding names the document that was written over."""
    return finding.collection == write.place.collection and finding.document == name_of(write.id)


def contradicted(finding: Finding, stored: Stored, write: Write) -> bool:
    """Return whether the finding names what the write contradicts: of the same conversation, lane, file or entry.

    What an entry says is of any collection.
    """
    if write.place.collection == JOURNAL:
        return True
    told = {*finding.document.split("/"), finding.document, *finding.problem.split()}
    return bool(told & _about(stored, write))


def name_of(identity: Any) -> str:
    """Return a document's `_id` as findings have it."""
    return "/".join(map(str, identity.values())) if isinstance(identity, dict) else str(identity)


def conversation_of(write: Write, document: Mapping[str, Any] | None) -> str | None:
    """Return the conversation that a document is of, where it is of one."""
    if write.place.collection not in OF_CONVERSATIONS:
        return None
    name = write.id if isinstance(write.id, dict) else document or {}
    found = write.id if write.place.collection == CONVERSATIONS else name.get("conversation")
    return found if isinstance(found, str) else None


def _about(stored: Stored, write: Write) -> set[str]:
    found = {name_of(write.id)}
    for document in (replaced_by(stored, write), write.document):
        if document is None:
            continue
        found |= {str(document[name]) for name in ("files_id", "sha256", "_id") if name in document}
        if conversation := conversation_of(write, document):
            found.add(conversation)
        if "chain" in document:
            found.add(f"{document['chain']}/{document.get('entry')}")
    return found


def attested(stored: Stored, writes: Iterable[Write]) -> list[Write]:
    """Return those of the writes that change something which the journal vouches for."""
    kept = []
    listed = list(writes)
    of_chunks = _chunks(stored, listed)
    for write in listed:
        was = replaced_by(stored, write)
        changed = differing(was or {}, write.document or {})
        where = f"{write.place.collection}."
        if write.place.collection not in EXCLUDED and not all(where + name in EXCLUDED for name in changed):
            kept.append(write)
    return [one for one in kept if not _of_nobody(stored, one) and (one.place.collection != CHUNKS or of_chunks)]


def _chunks(stored: Stored, writes: Iterable[Write]) -> bool:
    """Return whether the chunks are others, whatever MongoDB calls them."""
    before: list[str] = []
    after: list[str] = []
    for write in writes:
        if write.place.collection == CHUNKS:
            for found, into in ((replaced_by(stored, write), before), (write.document, after)):
                if found is not None:
                    into.append(document_digest({name: value for name, value in found.items() if name != "_id"}))
    return sorted(before) != sorted(after)


def _of_nobody(stored: Stored, write: Write) -> bool:
    """A file that no event refers to, a lane that never committed, another archive: nothing says what these are."""
    was = replaced_by(stored, write) or write.document or {}
    place = write.place.collection
    if place in {FILES, CHUNKS}:
        name = write.id if place == FILES else was.get("files_id")
        return not any(
            one["sha256"] == name and one["state"] == "stored" for one in stored[Place(False, ATTACHMENTS)].values()
        )
    if place == ARCHIVES:
        return replaced_by(stored, write) is None
    return place == FENCES and key_of(write.id) not in stored[Place(False, CHECKPOINTS)] and write.id != "*"
