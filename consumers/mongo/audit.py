"""The audit of an archive in MongoDB: everything that is stored, compared with what its signed journal says.

The chains are followed first. Then each conversation is replayed from its events, commit by commit, and whatever else
is stored of it must be what that comes to; what does not follow from events is as an act says by digest. So a document
that was altered, removed, inserted, doubled or swapped is not what somebody with the key wrote, and is named.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from bson import MaxKey, MinKey
from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo.errors import OperationFailure

from consumers.audit.chains import Chain
from consumers.audit.finding import Finding
from consumers.audit.journal import ACTS, Checker, Entry, Head
from consumers.audit.ledger import Ledger
from consumers.batch import FirstUse
from consumers.content import ContentState
from consumers.mongo import audited_content, audited_state
from consumers.mongo.audited_conversation import AuditedConversation, Stored
from consumers.mongo.changes import change_of
from consumers.mongo.digests import document_digest, unlike
from consumers.mongo.failures import codes, reported
from consumers.mongo.first_uses import precedence
from consumers.mongo.journal import entry_document, entry_of
from consumers.mongo.layout import (
    ARCHIVES,
    ATTACHMENTS,
    CHECKPOINTS,
    CHUNKS,
    CONTENT_INDEXES,
    CONVERSATIONS,
    FENCES,
    FILES,
    HEADS,
    INDEXES,
    ITEMS,
    JOURNAL,
    LAYOUT,
    MAILBOXES,
    ORDERS,
    ORIGIN,
    PARTNERS,
    POLICIES,
    PROBES,
    PURGE_RUNS,
    PURGES,
    QUARANTINE,
    SEGMENTS,
    SESSIONS,
    Database,
    Document,
)
from consumers.mongo.legible import RAW, legible
from consumers.mongo.merging import Grouped, merged
from consumers.policy.book import Change, PolicyBook
from consumers.policy.decision import Switches
from consumers.policy.governance import AS_READ, Governance
from consumers.reading import NotFound
from schemas.errors import DependencyUnavailable

UNATTESTED: Final = {
    PURGE_RUNS: "when a daily purge last ended, so that it runs once a day; each deletion is an act of its own",
    PROBES: "written every few seconds to see whether the store takes writes; holds nothing",
    f"{PURGES} that came back without a mark": "one exported before it went is unexported, and kept longer",
    **{f"{kind}.{name}": why for kind in (CHECKPOINTS, FENCES) for name, why in audited_state.MARKS.items()},
    f"{FENCES} of lanes without a commit": "made before a lane's first commit, which may never come; holds nothing",
}
"""What no entry vouches for in the archive's database, and why; of files see `consumers.mongo.audited_content`."""

DOCUMENTS: Final = 100
"""Documents of each stream that are in memory at once."""

_TOO_OLD: Final = frozenset({239, 246})
"""SnapshotTooOld and SnapshotUnavailable."""


class MongoAuditor:
    """Audits one archive: `contents` is the database of its files, `checker` knows the keys that may have signed.

    `switches` are the readings of policies by which the archive was written.
    """

    def __init__(self, database: Database, contents: Database, checker: Checker, switches: Switches = AS_READ) -> None:
        self._database = database
        self._contents = contents
        self._checker = checker
        self._switches = switches
        self.heads: Mapping[str, Head] = {}

    async def findings(
        self, conversation: str | None = None, noted: Mapping[str, Head] = MappingProxyType({})
    ) -> AsyncIterator[Finding]:
        """Yield what is not as it was written: of the whole archive, or of the journal and one conversation.

        `noted` are heads of an earlier audit, kept elsewhere: each must be an entry still, which shows whether all of
        the archive was set back. `heads` are those of this one, once it is at its end.

        Raises NotFound where the archive has nothing of the conversation, and nothing says that it ever had.

        Everything is read as of one moment, so that archivers may go on meanwhile. Raises DependencyUnavailable where
        that takes longer than the server keeps a moment (`minSnapshotHistoryWindowInSeconds`), or does not answer.
        """
        with reported("the archive cannot be audited"):
            async with _moment(self._database) as session:
                audit = _Audit(self._database, self._contents, self._checker, self._switches, session)
                async for finding in audit.journal(noted):
                    yield finding
                async for finding in audit.policies():
                    yield finding
                found = 0
                async for finding in audit.conversations(conversation):
                    found += 1
                    yield finding
                if conversation is not None and not found and not audit.replayed:
                    raise NotFound(f"there is no conversation {conversation}")
                if conversation is None:
                    async for finding in audit.rest():
                        yield finding
                self.heads = audit.heads


@asynccontextmanager
async def _moment(database: Database) -> AsyncIterator[AsyncIOMotorClientSession]:
    try:
        async with await database.client.start_session(snapshot=True) as session:
            yield session
    except OperationFailure as error:
        if not _TOO_OLD.intersection(codes(error)):
            raise
        raise DependencyUnavailable(
            "the audit took longer than the server keeps a moment: "
            "raise its minSnapshotHistoryWindowInSeconds, or audit a copy"
        ) from error


class _Audit:
    """One audit, as of one moment; its steps are taken in the order in which they stand here."""

    def __init__(
        self,
        database: Database,
        contents: Database,
        checker: Checker,
        switches: Switches,
        session: AsyncIOMotorClientSession,
    ) -> None:
        self._database = database
        self._contents = contents
        self._checker = checker
        self._switches = switches
        self._session = session
        self._ledger = Ledger()
        self.heads: dict[str, Head] = {}
        self.replayed = 0
        self._changes: list[Change] = []
        self._uses: dict[str, FirstUse] = {}
        self._hidden: set[str] = set()
        self._files: dict[str, int] = {}

    async def journal(self, noted: Mapping[str, Head]) -> AsyncIterator[Finding]:
        """Follow every chain: the acts, which commits are read by, then the others."""
        left = dict(noted)
        for query in ({"_id.chain": ACTS}, {"_id.chain": {"$ne": ACTS}}):
            chain = Chain("", self._checker)
            async for document in self._stream(JOURNAL, query):
                name = _entry_name(document)
                try:
                    entry = _checked(entry_of(document))
                    odd = unlike(entry_document(entry), document)
                except (KeyError, TypeError, ValueError, AttributeError):
                    yield Finding(JOURNAL, name, "is not an entry that can be read")
                    continue
                if entry.chain != chain.name:
                    chain = Chain(entry.chain, self._checker)
                wrong = f"is altered: {odd}" if odd else chain.follow(entry) or self._ledger.take(entry)
                self.heads[entry.chain] = chain.head
                if wrong:
                    yield Finding(JOURNAL, name, wrong)
                if left.get(entry.chain) == chain.head:
                    del left[entry.chain]
        for name, head in left.items():
            yield Finding(JOURNAL, f"{name}/{head.number}", "was noted, and is not there as it was")
        self._ledger.close()

    async def policies(self) -> AsyncIterator[Finding]:
        """Compare the history of policies, and read it."""
        async for finding in audited_state.attested(POLICIES, self._stream(POLICIES), self._ledger.policies):
            yield finding
        digests = {str(number): digest for number, digest in self._ledger.policies.items()}
        async for document in self._stream(POLICIES):
            if digests.get(str(document["_id"])) == document_digest(document):  # any other was named above
                self._changes.append(change_of(document))

    async def conversations(self, only: str | None) -> AsyncIterator[Finding]:
        """Replay every conversation, or one, and see that every entry's segments are there."""
        governance = cache(self._governance)
        streams = self._streams(only)
        removed = {name for name in self._ledger.removed if only in {None, name}}
        async for name, documents in merged([*streams.values()]):
            removed.discard(name)
            self.replayed += 1
            audited = AuditedConversation(name, Stored(*documents), self._ledger, governance)
            for finding in audited.findings():
                yield finding
            self._note(audited)
            if only is None:
                audited.account()
        for name in removed:
            yield Finding(CONVERSATIONS, name, "is missing: an act removed it, and left a tombstone")
        for collection, stream in streams.items():
            for odd in stream.odd:
                yield Finding(collection, str(odd["_id"]), "is of no conversation")
        if only is not None:
            await self._account()
        for written in self._ledger.written.values():
            if not written.whole:
                name = f"{written.chain}/{written.number}"
                yield Finding(JOURNAL, name, f"added {written.count} segments; these are not the ones there are")

    def _streams(self, only: str | None) -> dict[str, Grouped]:
        own = {"_id": only} if only is not None else {}
        told = {"conversation": only} if only is not None else {}
        order = [("conversation", 1)]
        return {
            CONVERSATIONS: Grouped(self._stream(CONVERSATIONS, own), lambda one: one["_id"]),
            SEGMENTS: Grouped(self._stream(SEGMENTS, _range(only, "first")), _conversation_of),
            ITEMS: Grouped(self._stream(ITEMS, told, order), lambda one: one.get("conversation")),
            PURGES: Grouped(self._stream(PURGES, told, order), lambda one: one.get("conversation")),
            ATTACHMENTS: Grouped(self._stream(ATTACHMENTS, _range(only, "sequence")), _conversation_of),
        }

    async def _account(self) -> None:
        """Count all conversations' segments without reading what was said in them."""
        streams = [
            Grouped(self._stream(CONVERSATIONS, {"removed": {"$exists": True}}), lambda one: one["_id"]),
            Grouped(self._stream(SEGMENTS, fields={"events": 0}), _conversation_of),
        ]
        async for name, (conversations, segments) in merged(streams):
            stored = Stored(conversations=conversations, segments=segments)
            AuditedConversation(name, stored, self._ledger, self._governance).account()

    def _note(self, audited: AuditedConversation) -> None:
        """Keep what a conversation says of mailboxes and files."""
        replayed = audited.replayed
        if replayed is None:
            return
        self._hidden.update(replayed.hidden)
        for use in replayed.mailboxes:
            known = self._uses.get(use.mailbox)
            if known is None or precedence(use) < precedence(known):
                self._uses[use.mailbox] = use
        for one in replayed.attachments:
            if one.state is ContentState.STORED:
                self._files[one.claim.sha256] = one.claim.size

    async def rest(self) -> AsyncIterator[Finding]:
        """Compare all that is no conversation's."""
        ledger, read = self._ledger, self._stream
        for findings in (
            audited_state.mailboxes(read(MAILBOXES), self._uses, self._hidden, ledger),
            audited_state.quarantine(read(QUARANTINE), ledger),
            audited_state.checkpoints(read(CHECKPOINTS), ledger, self.heads),
            audited_state.fences(read(FENCES), ledger),
            audited_state.heads(read(HEADS), self.heads),
            audited_state.attested(PARTNERS, read(PARTNERS), ledger.partners),
            audited_state.attested(SESSIONS, read(SESSIONS), ledger.sessions),
            audited_state.attested(ORDERS, read(ORDERS), ledger.orders),
            audited_state.attested(ORIGIN, read(ORIGIN), {"origin": ledger.origin} if ledger.origin else {}),
            audited_state.layout(read(LAYOUT)),
            audited_content.files(
                self._stream(FILES, at=self._contents),
                self._stream(CHUNKS, order=[("files_id", 1), ("n", 1)], at=self._contents),
                self._files,
            ),
            audited_content.archives(self._stream(ARCHIVES, at=self._contents), self._database.name),
            self._unknown(),
        ):
            async for finding in findings:
                yield finding

    async def _unknown(self) -> AsyncIterator[Finding]:
        for database, known in (
            (self._database, {*INDEXES, LAYOUT, ORIGIN}),
            (self._contents, {*CONTENT_INDEXES, PROBES}),
        ):
            for name in await database.list_collection_names():
                if name not in known and not name.startswith("system."):
                    yield Finding(name, "", "is a collection that no release makes")

    def _governance(self, number: int) -> Governance:
        return Governance(PolicyBook([one for one in self._changes if one.number <= number]), self._switches)

    def _stream(
        self,
        collection: str,
        query: Mapping[str, Any] | None = None,
        order: list[tuple[str, int]] | None = None,
        at: Database | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[Document]:
        database = self._database if at is None else at
        raw: Any = database[collection].with_options(codec_options=RAW)
        return legible(
            raw.find(query or {}, fields, sort=order or [("_id", 1)], batch_size=DOCUMENTS, session=self._session)
        )


def _checked(entry: Entry) -> Entry:
    """Return the entry. Raises TypeError where a part is of another type; bytes and the act were converted."""
    for part in (entry.chain, entry.body, entry.key):
        if not isinstance(part, str):
            raise TypeError("a part of the entry is no text")
    if not isinstance(entry.number, int):
        raise TypeError("the entry's number is none")
    return entry


def _range(conversation: str | None, second: str) -> dict[str, Any]:
    """Match documents whose `_id` begins with a conversation, by the index of `_id`."""
    if conversation is None:
        return {}
    least, most = ({"conversation": conversation, second: bound} for bound in (MinKey(), MaxKey()))
    return {"_id": {"$gte": least, "$lte": most}}


def _conversation_of(document: Document) -> object:
    name = document["_id"]
    return name.get("conversation") if isinstance(name, dict) else None


def _entry_name(document: Document) -> str:
    name = document["_id"]
    return "/".join(map(str, name.values())) if isinstance(name, dict) else str(name)
