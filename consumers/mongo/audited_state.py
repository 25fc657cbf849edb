"""Everything that is stored beside conversations, compared with what the journal says it must be."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from consumers.audit.finding import Finding
from consumers.audit.journal import ACTS, SESSIONS, Head
from consumers.audit.ledger import LaneAccount, Ledger
from consumers.batch import FirstUse
from consumers.folder import TREE
from consumers.mongo.audited_conversation import INSERTED, MISSING
from consumers.mongo.digests import document_digest, unlike
from consumers.mongo.documents import lane_of
from consumers.mongo.first_uses import precedence
from consumers.mongo.journal import head_document
from consumers.mongo.layout import (
    CHECKPOINTS,
    EVERY_LANE,
    FENCES,
    HEADS,
    LAYOUT,
    LAYOUT_VERSION,
    MAILBOXES,
    QUARANTINE,
    Document,
)
from consumers.quarantine import State
from schemas.times import parse_time

MARKS: Final = {
    "held_until": "until when a lane waits for a change of policies: seconds",
    "act": "a mark that changes of trust and policies leave behind so that commits meet them, some outside of the act",
    "newest": "a mark of the lane that began last, be it without a commit",
}
"""Fields of checkpoints and fences that nothing is read from, and why they are there."""

Documents = AsyncIterator[Document]


async def attested(collection: str, found: Documents, digests: Mapping[Any, str]) -> AsyncIterator[Finding]:
    """Compare documents that are as some act says, by `_id`."""
    left = {str(name): digest for name, digest in digests.items()}
    async for document in found:
        name = str(document["_id"])
        digest = left.pop(name, None)
        if digest is None:
            yield Finding(collection, name, INSERTED)
        elif digest != document_digest(document):
            yield Finding(collection, name, "is altered")
    for name in left:
        yield Finding(collection, name, MISSING)


async def quarantine(found: Documents, ledger: Ledger) -> AsyncIterator[Finding]:
    """Compare quarantined records with how they came there, and with what was done with them."""
    left = dict(ledger.quarantine)
    async for document in found:
        name = str(document["_id"])
        came, handled = left.pop(name, None), ledger.handled.get(name)
        if came is None:
            yield Finding(QUARANTINE, name, INSERTED)
        elif handled is not None and handled[0] != document_digest(document):
            yield Finding(QUARANTINE, name, "is not as whoever handled it left it")
        elif came != document_digest(document if handled is None else _before(document, handled[1])):
            yield Finding(QUARANTINE, name, "is altered")
    for name in left:
        yield Finding(QUARANTINE, name, MISSING)


def _before(document: Document, first: tuple[str, str, int]) -> Document:
    """Return a quarantined record as it was before anybody handled it."""
    cause, detail, tries = first
    before = {name: value for name, value in document.items() if name != "handled"}
    return before | {"cause": cause, "detail": detail, "tries": tries, "state": str(State.QUARANTINED)}


async def mailboxes(
    found: Documents, uses: dict[str, FirstUse], hidden: set[str], ledger: Ledger
) -> AsyncIterator[Finding]:
    """Compare mailboxes with their first uses. One of somebody who keeps no history may be there, and need not."""
    left = dict(uses)
    async for document in found:
        name = str(document["_id"])
        use = left.pop(name, None)
        if _named_by_removed(document, use, ledger):
            continue
        if use is None:
            if name not in hidden or not _is_mailbox(document):
                yield Finding(MAILBOXES, name, INSERTED)
        elif (what := unlike(mailbox_document(use), document)) is not None:
            yield Finding(MAILBOXES, name, f"is altered: {what}")
    for name in left:
        yield Finding(MAILBOXES, name, MISSING)


def _named_by_removed(document: Document, use: FirstUse | None, ledger: Ledger) -> bool:
    """Return whether the mailbox was first used by a conversation that was removed, and is as that removal says.

    A conversation that is there and used it before has named it since.
    """
    named = {"_id": document["_id"], "named": document.get("named")}
    if not _is_mailbox(document) or document_digest(named) not in ledger.named:
        return False
    first = tuple(named["named"][part] for part in ("at", "conversation", "name"))
    return use is None or first <= precedence(use)


def _is_mailbox(document: Document) -> bool:
    """Return whether the document is a mailbox's, whoever named it."""
    named = document.get("named")
    if not isinstance(named, dict):
        return False
    at, conversation, name = (named.get(part) for part in ("at", "conversation", "name"))
    if not (isinstance(at, str) and isinstance(conversation, str) and isinstance(name, str)):
        return False
    return unlike(mailbox_document(FirstUse(document["_id"], name, at, conversation)), document) is None


def mailbox_document(use: FirstUse) -> Document:
    """Return all of a mailbox, given its first use."""
    named = {"at": use.at, "conversation": use.conversation, "name": use.name}
    return {"_id": use.mailbox, "named": named, "folders": [folder._asdict() for folder in TREE]}


async def checkpoints(found: Documents, ledger: Ledger, heads: Mapping[str, Head]) -> AsyncIterator[Finding]:
    """Compare checkpoints with the commits and acts of their lanes."""
    left = dict(ledger.lanes)
    async for document in found:
        name = str(document["_id"])
        account = left.pop(name, None)
        if account is None:
            yield Finding(CHECKPOINTS, name, INSERTED)
            continue
        expected = _checkpoint(name, account, heads[name])
        if (what := unlike(expected, _lasting(document))) is not None:
            yield Finding(CHECKPOINTS, name, f"is not where its commits leave it: {what}")
    for name in left:
        yield Finding(CHECKPOINTS, name, MISSING)


def _checkpoint(name: str, account: LaneAccount, head: Head) -> Document:
    archived, duplicate, quarantined = account.counts
    return {
        "_id": name,
        "start": account.start,
        "next": account.next,
        "archived": archived,
        "duplicate": duplicate,
        "quarantined": quarantined,
        "watermark": account.watermark and parse_time(account.watermark)[1],
        "topic_id": account.topic_id,
        "log": account.log,
        "entry": head_document(head),
        **({"redriven": account.redriven} if account.redriven else {}),
    }


def _lasting(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in MARKS}


async def fences(found: Documents, ledger: Ledger) -> AsyncIterator[Finding]:
    """Look at the documents that transactions meet at; one of a lane that never committed may be there."""
    left = {*ledger.lanes, EVERY_LANE} if ledger.lanes else set()
    async for document in found:
        name = str(document["_id"])
        left.discard(name)
        expected = _fence(name, ledger)
        if expected is None or unlike(expected, _lasting(document)) is not None:
            yield Finding(FENCES, name, "is not as any lane leaves it")
    for name in left:
        yield Finding(FENCES, name, MISSING)


def _fence(name: str, ledger: Ledger) -> Document | None:
    """Return what lasts of a fence, None where no lane can have one of that name."""
    if name == EVERY_LANE:
        return {"_id": name}
    try:
        lane_of(name)
    except ValueError:
        return None
    account = ledger.lanes.get(name)
    return {"_id": name} if account is None else {"_id": name, "began": account.start}


async def heads(found: Documents, expected: Mapping[str, Head]) -> AsyncIterator[Finding]:
    """Compare the heads of the chains that are no lane's with where the chains end."""
    left = {name: expected.get(name, Head()) for name in (ACTS, SESSIONS)}
    async for document in found:
        name = str(document["_id"])
        head = left.pop(name, None)
        if head is None:
            yield Finding(HEADS, name, INSERTED)
        elif unlike({"_id": name, **head_document(head)}, document) is not None:
            yield Finding(HEADS, name, "is not where its chain ends")
    for name in left:
        yield Finding(HEADS, name, MISSING)


async def layout(found: Documents) -> AsyncIterator[Finding]:
    """Compare the layout's one document."""
    left = {"layout": {"_id": "layout", "version": LAYOUT_VERSION}}
    async for document in found:
        name = str(document["_id"])
        expected = left.pop(name, None)
        if expected is None:
            yield Finding(LAYOUT, name, INSERTED)
        elif unlike(expected, document) is not None:
            yield Finding(LAYOUT, name, "is altered")
    for name in left:
        yield Finding(LAYOUT, name, MISSING)
