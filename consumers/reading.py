"""The reading side's port: pages and streams, never a whole mailbox at once."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consumers.batch import Checkpoint
from consumers.content import Attachment
from consumers.conversation import Conversation
from consumers.folder import FolderId
from consumers.item import Item
from consumers.quarantine import QuarantineEntry, State
from schemas.envelope import Event
from schemas.errors import Cause, LyncArchiverError

PAGE_ITEMS_MAX = 1000
"""Items of one page; Exchange's own limit for a page (domain reference, section 8.4)."""


class NotFound(LyncArchiverError):
    """There is no such mailbox, folder, item or record."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox: its owner's SIP address and name, and how many items it holds."""

    user: str
    name: str
    items: int


@dataclass(frozen=True, slots=True)
class FolderCount:
    """A folder of a mailbox, and how many items lie in it."""

    id: FolderId
    name: str
    parent: FolderId | None
    items: int


@dataclass(frozen=True, slots=True)
class ListedItem:
    """An item with its conversation, of which the members are not read, and its lane's latest event time."""

    item: Item
    conversation: Conversation
    watermark: datetime | None


@dataclass(frozen=True, slots=True)
class QuarantineQuery:
    """Which entries of the quarantine are meant: None stands for every cause, every state, and no bound.

    They came there at `since` or later, and before `until` (aware, UTC).
    """

    cause: Cause | None = None
    state: State | None = State.QUARANTINED
    since: datetime | None = None
    until: datetime | None = None


class ArchiveReader(Protocol):
    """Reads what the lanes have committed. Every method raises DependencyUnavailable where the store cannot be used."""

    def mailboxes(self) -> AsyncIterator[Mailbox]:
        """Stream all mailboxes, by SIP address."""

    async def folders(self, user: str) -> Sequence[FolderCount]:
        """Return the mailbox's folders, parents first. Raises NotFound."""

    async def items(
        self, user: str, folder: FolderId | None, after: str | None, items_max: int
    ) -> Sequence[ListedItem]:
        """Return one page, by start then id, of the items after the one with the id `after`. Raises NotFound."""

    async def item(self, user: str, item: str) -> ListedItem:
        """Return one item; its conversation comes with its members. Raises NotFound."""

    def all_items(self, user: str) -> AsyncIterator[ListedItem]:
        """Stream all items of a mailbox, by start then id; their conversations come with their members."""

    async def items_among(self, user: str, ids: Sequence[str]) -> Mapping[str, ListedItem]:
        """Return those of these items that the mailbox holds, by id; their conversations come with their members."""

    def events(self, conversation: str) -> AsyncIterator[Event]:
        """Stream a conversation's events in order of sequence."""

    async def attachments(self, conversation: str) -> Mapping[int, Attachment]:
        """Return what became of the files of a conversation's events, by sequence."""

    async def owners(self, conversations: Sequence[str]) -> Mapping[str, Sequence[Item]]:
        """Return all items of these conversations, whoever's they are."""

    async def conversations(self, names: Sequence[str]) -> Mapping[str, Conversation]:
        """Return those of these conversations that there are, with their members."""

    async def checkpoints(self) -> Sequence[Checkpoint]:
        """Return all lanes' checkpoints."""

    def quarantine(self, query: QuarantineQuery) -> AsyncIterator[QuarantineEntry]:
        """Stream entries of the quarantine, newest first."""

    async def quarantined(self, entry: str) -> QuarantineEntry:
        """Return one entry by its id, in whatever state. Raises NotFound."""

    async def quarantined_fingerprints(self, fingerprints: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return how often each of these records (`schemas.fingerprint`) is in quarantine, in state `quarantined`."""
