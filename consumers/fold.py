"""The fold: a run of events and the conversations they belong to, in; one batch and an outcome a record, out.

Pure: everything it needs is passed in. What it stores is a function of the set of a conversation's events; see
the theory of operation in `consumers.transitions`.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from consumers.batch import ZERO, Batch, Checkpoint, Counts, FirstUse, Quarantined
from consumers.content import CAUSES, DETAILS, Attachment, ContentState, Place, States, claim, digests
from consumers.conversation import Conversation, Member
from consumers.copy import Copy
from consumers.decoding import Decoded
from consumers.draft import Draft
from consumers.filing import file_copies, file_item
from consumers.item import Item
from consumers.policy.governance import UNGOVERNED, Governance
from consumers.segment import Segment, seal_all
from consumers.sequences import holds
from consumers.transitions import KINDS
from schemas.envelope import Event
from schemas.errors import Cause, IllegalRecord, RecordRejected
from schemas.record import Record

NOTHING: Final[States] = MappingProxyType({})
"""What is known of the files of a run that refers to none."""


def recalls(decoded: Iterable[Decoded], known: Mapping[str, Conversation]) -> set[Place]:
    """Return the places of events that are held already, and must be read to tell duplicate from conflict."""
    places = set()
    for _, event in decoded:
        if isinstance(event, Event):
            conversation = known.get(event.data.conversation)
            if conversation is None or conversation.removed:
                continue
            if holds(conversation.held, event.sequence):
                places.add((conversation.id, event.sequence))
    return places


def fold(
    checkpoint: Checkpoint,
    decoded: list[Decoded],
    known: Mapping[str, Conversation],
    recalled: Mapping[Place, Event],
    contents: States = NOTHING,
    governance: Governance = UNGOVERNED,
) -> Batch:
    """Fold a run of records, in order of offset, into one batch on top of `checkpoint`.

    `known` has every stored conversation that a record of the run belongs to; `recalled` the stored event of each
    place that `recalls` names; `contents` what was found for each claim of `consumers.content.claims`; `governance`
    decides what is archived beside what people see.
    An event whose file is not there has its place, and its record is quarantined, not archived.
    """
    drafts: dict[str, Draft] = {}
    quarantine: list[Quarantined] = []
    attachments: list[Attachment] = []
    duplicates = 0
    watermark, log = checkpoint.watermark, checkpoint.log.number
    for record, event in decoded:
        if isinstance(event, RecordRejected):
            quarantine.append(Quarantined(record, event.cause, event.detail, log, digests(record.value)))
            continue
        try:
            if not _add(event, drafts, known, recalled):
                duplicates += 1
                continue
        except IllegalRecord as rejected:
            quarantine.append(Quarantined(record, rejected.cause, rejected.detail, log, digests(event.body)))
            continue
        watermark = _later(watermark, event.moment)
        attachment = _attachment(event, contents)
        if attachment is not None:
            attachments.append(attachment)
            if attachment.state is not ContentState.STORED:
                quarantine.append(unfulfilled(record, attachment, log))
    counts = Counts(len(decoded) - duplicates - len(quarantine), duplicates, len(quarantine))
    end = decoded[-1].record.offset + 1
    return _batch(checkpoint, end, list(drafts.values()), quarantine, counts, watermark, tuple(attachments), governance)


def passing(checkpoint: Checkpoint, end: int, governance: Governance = UNGOVERNED) -> Batch:
    """Return the batch that moves past offsets which hold no record, such as the log's own markers."""
    return _batch(checkpoint, end, [], [], ZERO, checkpoint.watermark, (), governance)


def unfulfilled(record: Record, attachment: Attachment, log: int) -> Quarantined:
    """Return the entry of a record whose event has its place, and whose file is not what it says."""
    state = attachment.state
    return Quarantined(record, CAUSES[state], DETAILS[state], log, frozenset([attachment.claim.sha256]))


def _attachment(event: Event, contents: States) -> Attachment | None:
    claimed = claim(event.data)
    if claimed is None:
        return None
    return Attachment(event.data.conversation, event.sequence, claimed, contents[claimed])


def _add(
    event: Event, drafts: dict[str, Draft], known: Mapping[str, Conversation], recalled: Mapping[Place, Event]
) -> bool:
    """Add the event to its conversation; False says that it is there already. Raises IllegalRecord."""
    name = event.data.conversation
    draft = drafts.get(name)
    if draft is None:
        base = known.get(name) or Conversation(name, KINDS[type(event.data)])
        if base.removed:
            return _add_removed(event, base)
        draft = Draft(base)
    if event.sequence > draft.top or not draft.holds(event.sequence):
        draft.add(event)
        drafts[name] = draft  # not before: a refused event decides nothing, not even the kind
        return True
    held = draft.fresh.get(event.sequence) or recalled[name, event.sequence]
    if not same(event, held):
        raise IllegalRecord(Cause.SEQUENCE_CONFLICT, "another event is held at this sequence")
    return False


def _add_removed(event: Event, conversation: Conversation) -> bool:
    """Take an event of a removed conversation for the one that was held at its sequence; nobody can tell any more."""
    if not holds(conversation.held, event.sequence):
        raise IllegalRecord(Cause.CONVERSATION_REMOVED, "the conversation was removed, as policies have it")
    return False


def same(event: Event, held: Event) -> bool:
    """Return whether two reports are of one event: several devices report it with one id and one content.

    Source and time are the reporting device's own and may differ.
    """
    return event.id == held.id and event.type is held.type and event.body == held.body


def _later(watermark: datetime | None, moment: datetime) -> datetime:
    return moment if watermark is None or moment > watermark else watermark


def _batch(
    checkpoint: Checkpoint,
    end: int,
    drafts: list[Draft],
    quarantine: list[Quarantined],
    counts: Counts,
    watermark: datetime | None,
    attachments: tuple[Attachment, ...],
    governance: Governance,
) -> Batch:
    gathered = Gathered(governance)
    for draft in drafts:
        gathered.take(draft)
    return Batch(
        lane=checkpoint.lane,
        start=checkpoint.next,
        end=end,
        segments=tuple(gathered.segments),
        conversations=tuple(gathered.conversations),
        rosters=frozenset(gathered.rosters),
        items=tuple(gathered.items),
        copies=tuple(gathered.copies),
        mailboxes=tuple(gathered.mailboxes),
        quarantine=tuple(quarantine),
        counts=counts,
        watermark=watermark,
        attachments=attachments,
        log=checkpoint.log,
        policies=governance.book.number,
        lapsed=tuple(gathered.lapsed),
    )


class Gathered:
    """What the drafts of one batch come to, together; `hidden` are people whose history is not kept for them.

    `lapsed` are the ids of their items: what came before may have had one shown.
    """

    def __init__(self, governance: Governance) -> None:
        self._governance = governance
        self.segments: list[Segment] = []
        self.conversations: list[Conversation] = []
        self.rosters: set[str] = set()
        self.items: list[Item] = []
        self.copies: list[Copy] = []
        self.mailboxes: list[FirstUse] = []
        self.hidden: list[str] = []
        self.lapsed: list[str] = []

    def take(self, draft: Draft) -> None:
        """Seal what is fresh, and file the conversation for everybody who is touched by it."""
        base = draft.base
        sealed = seal_all(base.id, base.segments, base.head, draft.fresh)
        self.segments += sealed
        conversation = draft.finish(sealed[-1].ordinal, sealed[-1].hash)
        unseen: Collection[str] = ()
        if draft.touched:
            conversation, ruling = file_copies(conversation, base, draft.touched, self._governance, self.copies)
            unseen = ruling.unseen
        if _changed(conversation, base):
            self.rosters.add(conversation.id)
        self.conversations.append(conversation)
        for sip in sorted(draft.touched):
            member = conversation.members[sip]
            item = file_item(conversation, member)
            if item is None:
                continue
            if sip in unseen:
                self.hidden.append(sip)
                if base.revision:
                    self.lapsed.append(item.id)
                continue
            self.items.append(item)
            self.mailboxes.append(_first_use(conversation, member))


def _changed(after: Conversation, before: Conversation) -> bool:
    """Return whether what rarely changes did."""
    return (
        after.members is not before.members
        or after.opening is not before.opening
        or after.undelivered is not before.undelivered
        or after.kept is not before.kept
    )


def _first_use(conversation: Conversation, member: Member) -> FirstUse:
    return FirstUse(member.sip, member.name, member.named_at, conversation.id)
