"""What the lanes need of the outside, in our own words. The contracts live here; adapters repeat nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from consumers.batch import Batch, Checkpoint, LaneId
from consumers.content import Claim, ContentState, Place
from consumers.conversation import Conversation
from consumers.grant import Grant
from consumers.missing import KeptOrder, SkipOrder
from consumers.policy.book import Change
from consumers.quarantine import QuarantineEntry
from consumers.redrive import Redrive
from schemas.envelope import Event
from schemas.errors import Cause, DependencyUnavailable, LyncArchiverError, Misconfigured
from schemas.health import StoreHealth
from schemas.record import Record


class Fenced(LyncArchiverError):
    """The lane's checkpoint is not where the batch started: somebody else has the lane, or has had it."""


class Stale(LyncArchiverError):
    """A stored conversation is not at the revision that the batch was made from."""


class StoreUnavailable(DependencyUnavailable):
    """The store does not answer, or takes nothing: no race, and nobody else's fault."""


class NotQuarantined(LyncArchiverError):
    """An entry is not, or not any more, in the state `quarantined`."""


class ContentAltered(LyncArchiverError):
    """The bytes that the content store has of a file are not those of its digest."""


class RecordsGone(Misconfigured):
    """The log does not have the records after the checkpoint: they expired, or the log was cut."""


class TopicMadeAgain(RecordsGone):
    """The topic is another one than the lane's checkpoint is of, though it has the same name."""


class ArchiveStore(Protocol):
    """Where mailboxes, conversations, quarantine and checkpoints are kept.

    Every method raises DependencyUnavailable where the store cannot be used now.
    """

    async def checkpoint(self, lane: LaneId) -> Checkpoint | None:
        """Return the lane's checkpoint, or None where nothing of it was ever committed. Sees every commit."""

    async def load(self, conversations: Iterable[str]) -> Mapping[str, Conversation]:
        """Return those of the named conversations that are stored, as of the latest commit."""

    async def recall(self, places: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], Event]:
        """Return the stored events at these places (conversation, sequence); every one must be held.

        Raises Stale where one is not: its conversation was removed since it was loaded.
        """

    async def policy_changes(self, after: int) -> Sequence[Change]:
        """Return the changes of policies behind this number, by number, as of the latest one."""

    async def commit(self, grant: Grant, batch: Batch) -> None:
        """Commit the batch: durably, and whole or not at all.

        In this order: (1) the checkpoint moves from `batch.start` to `batch.end`, which is the fence, and the partner
        application is asked whether it still stands behind the grant; (2) segments are inserted; (3) conversations
        move on by one revision; (4) items and copies and (5) quarantine are written. Mailboxes that are met for
        the first time are made after (1); making one twice changes nothing, and they may stay where the rest fails.
        Attachments are written after (2); from here on nothing sweeps the files that `batch.referred` names.

        Raises Fenced where the checkpoint is not at `batch.start` of `batch.log`, Stale where a conversation is not at
        the revision before, the policies are not those of the batch, or a file of `batch.present` is not in the content
        store any more, GrantRefused where the grant is over or not trusted any more, DependencyUnavailable where the
        outcome is unknown: then the checkpoint tells. A lane without a checkpoint starts at any offset; one whose
        checkpoint has no topic id yet takes the batch's.
        """


class MailboxStore(Protocol):
    """Where users' own folders are changed. Every method raises DependencyUnavailable where it cannot be used now."""

    async def delete(self, grant: Grant, user: str, item: str) -> None:
        """Delete an item for its user: durably, and nothing but that; no reading command shows it any more.

        Its conversation, its content and the archived copy stay, and what comes to the conversation later does not
        bring it back. Raises NotFound where the mailbox has no such item, GrantRefused.
        """


class LaneStore(Protocol):
    """Where all lanes' checkpoints are, and the orders to go on without records that are gone.

    Every method raises DependencyUnavailable where the store cannot be used now.
    """

    async def positions(self) -> Sequence[Checkpoint]:
        """Return the checkpoint of every lane that ever committed, by topic and partition."""

    async def skip(self, grant: Grant, order: SkipOrder) -> None:
        """Move the lane's checkpoint as ordered and keep the order for ever: durably, and both or neither.

        The checkpoint goes from `order.start` in `order.before` to `order.to` in `order.after`; counts and watermark
        stay, for they are of records read. The partner application is asked whether it still stands behind the grant.

        Raises Fenced where the checkpoint is not where the order was made for, GrantRefused where the grant is over or
        not trusted any more, DependencyUnavailable where the outcome is unknown: then the checkpoint tells.
        """

    async def orders(self) -> Sequence[KeptOrder]:
        """Return every order there ever was, the oldest first."""


class QuarantineStore(Protocol):
    """Where the quarantine is kept, together with the archive that its records are for.

    Every method raises DependencyUnavailable where the store cannot be used now.
    """

    async def load(self, conversations: Iterable[str]) -> Mapping[str, Conversation]:
        """As `ArchiveStore.load`."""

    async def recall(self, places: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], Event]:
        """As `ArchiveStore.recall`."""

    async def policy_changes(self, after: int) -> Sequence[Change]:
        """As `ArchiveStore.policy_changes`."""

    async def stubs(self, places: Iterable[Place]) -> frozenset[Place]:
        """Return those of these places that hold an event whose file is not stored, as far as the archive says."""

    async def lanes(self) -> Sequence[LaneId]:
        """Return every lane that ever committed, by topic and partition."""

    async def page(
        self, lane: LaneId, cause: Cause | None, after: tuple[int, int], entries_max: int, bytes_max: int
    ) -> Sequence[QuarantineEntry]:
        """Return the lane's next entries in state `quarantined` behind the place `after`, in order of place.

        A place is an offset and the number of the log that it is of.

        Of one cause, or of all. At most `entries_max`, and no more once their keys and values reach `bytes_max`.
        """

    async def find(self, ids: Collection[str]) -> Mapping[str, QuarantineEntry]:
        """Return those of these entries that there are, in whatever state."""

    async def redrive(self, grant: Grant, redrive: Redrive) -> None:
        """Commit a redrive: durably, and whole or not at all; no checkpoint moves.

        The partner application is asked whether it still stands behind the grant, as of the same moment. Entries
        that were taken become `redriven`, the others stay `quarantined` with their new cause; each notes who did it.
        The lane's counts move by `redrive.moved`, so that their sum stays the number of records read. Segments,
        conversations, items, mailboxes and attachments are written as `ArchiveStore.commit` writes them. Attachments of
        `redrive.healed` become stored.

        Raises Stale where an entry was handled, a conversation moved on, an attachment was healed or a file of
        `redrive.present` was swept in the meantime, GrantRefused where the
        grant is over or not trusted any more, DependencyUnavailable where the outcome is unknown: then the entries
        tell.
        """

    async def discard(self, grant: Grant, ids: Collection[str], reason: str) -> None:
        """Mark entries as `discarded`, all or none, on a grant as for `redrive`. Counts and records stay.

        Raises NotQuarantined where one of them is not in state `quarantined`, GrantRefused.
        """


class IdleContent(NamedTuple):
    """A file that nothing refers to: digest, size in bytes, and when it was put last (aware, UTC)."""

    sha256: str
    size: int
    put_at: datetime


class ContentStore(Protocol):
    """Where the files are that events refer to, each once, by the SHA-256 of its bytes (lower-case hexadecimal).

    Every method raises DependencyUnavailable where the store cannot be used now.
    """

    async def inspect(self, claims: Collection[Claim]) -> Mapping[Claim, ContentState]:
        """Return what there is for each claim.

        `oversized` where it says more bytes than an item may have, whatever is there; else `missing` where there is no
        such file, `wrong` where its size or digest is another, `stored` where both are right. A file's digest is
        recomputed from its bytes, in bounded memory, and that it is right is remembered: it is read once.
        """

    def open(self, sha256: str) -> AsyncIterator[bytes]:
        """Stream a file's bytes in portions. Raises NotFound (`consumers.reading`), and ContentAltered at the end where
        what was streamed has another digest."""

    def idle(self, before: datetime) -> AsyncIterator[IdleContent]:
        """Stream the files that were last put before then (aware) and that nothing in the archive refers to.

        What refers is an event in its place, its file good or not, and a record in quarantine, in whatever state.
        """

    async def drop(self, sha256: str, before: datetime) -> bool:
        """Delete a file, unless something refers to it by now, or it was put again; False where it was not deleted.

        A commit that is to refer to it comes before or after this, never in between: then it is Stale.
        """


class RecordSource(Protocol):
    """Where a lane's records come from."""

    async def fetch(self, lane: LaneId, records_max: int) -> Sequence[Record]:
        """Return the lane's next records, in order of offset; none where none came for a while.

        One that is cancelled may have moved the position past records that nobody got: seek before going on.
        Raises DependencyUnavailable where the broker cannot be read now.
        """

    def seek(self, lane: LaneId, offset: int) -> None:
        """Let the next fetch begin at this offset."""

    async def position(self, lane: LaneId) -> int:
        """Return the offset that the next fetch begins at: behind markers of the log's own, which no fetch returns."""

    async def bounds(self, lane: LaneId) -> tuple[int, int]:
        """Return the offset of the oldest record that is there, and the offset after the newest."""

    async def topic_id(self, lane: LaneId) -> str:
        """Return the id of the lane's topic as of now: another topic of the same name has another one.

        Records that were fetched before are of that topic, for an id does not come back. Raises DependencyUnavailable
        where there is no such topic now.
        """

    def mark(self, lane: LaneId, offset: int) -> None:
        """Note for lag tools that everything before `offset` is archived. Nothing relies on it."""


class GrantAuthority(Protocol):
    """Who opens grants."""

    async def open(self) -> Grant:
        """Return a grant that is alive. Raises GrantRefused, a DependencyUnavailable, where there is none now.

        Raises Misconfigured where whoever issues tokens, or whoever's keys are needed, has to be set right first.
        """


class LaneObserver(Protocol):
    """Who is told how a lane is doing. None of these may raise."""

    def committed(self, batch: Batch, duration_s: float) -> None:
        """A batch is in the store; its commit took this long."""

    def delayed(self, lane: LaneId, error: LyncArchiverError) -> None:
        """A step could not be taken and will be tried again."""

    def halted(self, lane: LaneId, error: BaseException) -> None:
        """The lane stopped for a bug; nothing of its batch is committed."""


class StoreProbe(Protocol):
    """One store, asked whether it takes anything."""

    async def write(self) -> None:
        """Write one thing, as durably as what is archived, in the place of the one before; the archive never reads it.

        Raises StoreUnavailable where the store does not take it, for whatever reason.
        """


class HealthPublisher(Protocol):
    """Where the Lync side hears how the stores are."""

    async def publish(self, archiver: str, health: StoreHealth | None) -> None:
        """Let this be what the archiver says, whatever it said before; None takes it back. Returns in a few seconds.

        Raises DependencyUnavailable where that is not confirmed, Misconfigured where it is not allowed.
        """


class HealthObserver(Protocol):
    """Who is told of the stores' health here. None of these may raise."""

    def changed(self, health: StoreHealth) -> None:
        """A store began to fail, or is well again."""

    def unpublished(self, error: LyncArchiverError) -> None:
        """What is to be said is not heard; told once, until it is heard again."""


LanesChange = Callable[[Sequence[LaneId]], Awaitable[None]]
"""Awaited with lanes as they come, or before they go."""


class Membership(Protocol):
    """The group that shares out the lanes."""

    def join(self, assigned: LanesChange, revoked: LanesChange) -> None:
        """Join the group; the functions are awaited as lanes come and before they go."""

    async def ends(self) -> Mapping[LaneId, tuple[int, int]]:
        """Return the oldest and the next offset of every lane there is, as they are now."""

    async def publish_marks(self) -> None:
        """Tell lag tools what was marked. Never raises for what the broker answers."""
