"""Filing: which folder a conversation goes to for one person, as which kind of item, under which subject."""

import hashlib
from collections.abc import Collection
from itertools import islice
from typing import cast

from consumers.conversation import Conversation, Member, Opener
from consumers.copy import Copy
from consumers.folder import FolderId
from consumers.item import Item, ItemClass, Status
from consumers.policy.governance import NOTHING, Governance, Ruling
from consumers.transitions import Kind
from consumers.visibility import presented, undelivered, visible
from schemas.events import CallStarted, ConferenceActivated, ConversationStarted
from schemas.limits import SUBJECT_CHARS_MAX

SUBJECT_NAMES_MAX = 5
"""Names in a subject; a sixth and later are counted. Outlook shows about that many before it cuts."""


def file_item(conversation: Conversation, member: Member) -> Item | None:
    """Return the item that this conversation is in this member's mailbox, or None while it is none.

    Somebody who was present has an archived item; somebody who was only reported as having missed it has a missed
    item; somebody who was merely invited has none. Who is not of the organisation has no mailbox here, and no item.
    """
    present = any(move.present for move in member.moves)  # any join begins a stint
    if (not present and member.missed is None) or not member.internal:
        return None
    opening = conversation.opening
    return Item(
        id=item_id(member.sip, conversation.id),
        mailbox=member.sip,
        folder=_folder(conversation.kind),
        conversation=conversation.id,
        kind=conversation.kind,
        item_class=_item_class(conversation.kind, present),
        subject=_subject(opening.data, member.sip, present) if opening else "",
        status=Status.ARCHIVED if present else Status.MISSED,
        thread=opening.data.thread if opening else "",
        started_at=opening.at if opening else None,
        visible=visible(conversation, member),
        presented=presented(conversation, member),
        undelivered=undelivered(conversation, member),
    )


def file_copies(
    conversation: Conversation, before: Conversation, touched: Collection[str], governance: Governance, into: list[Copy]
) -> tuple[Conversation, Ruling]:
    """Add the copies that a change of members brings, and return the conversation with whether it is kept.

    Whoever comes from outside may change everybody's target. A copy whose target is none is there no more, and one
    that was purged does not come back.
    """
    ruling = governance.rule(conversation)
    if ruling is NOTHING:
        return conversation, ruling
    former = governance.rule(before).targets
    changed = {sip for sip, target in ruling.targets.items() if former.get(sip) is not target}
    for sip in sorted(changed.union(touched) - conversation.purged):
        item = file_item(conversation, conversation.members[sip])
        if item is not None:
            into.append(Copy(item._replace(folder=FolderId.PURGES), ruling.targets[sip], ruling.messages_only))
    return conversation._replace(kept=ruling.kept), ruling


def item_id(mailbox: str, conversation: str) -> str:
    """Return the item's id: the same mailbox and conversation always have the same one, and no others have it."""
    return hashlib.blake2b(f"{mailbox}\x00{conversation}".encode(), digest_size=16).hexdigest()


def _folder(kind: Kind) -> FolderId:
    return FolderId.WEB_CONFERENCING_HISTORY if kind is Kind.CONFERENCE else FolderId.CONVERSATION_HISTORY


def _item_class(kind: Kind, present: bool) -> ItemClass:
    if kind is Kind.CALL:
        return ItemClass.CALL if present else ItemClass.MISSED_CALL
    return ItemClass.CONVERSATION if present else ItemClass.MISSED


def _subject(opener: Opener, owner: str, present: bool) -> str:
    if type(opener) is ConferenceActivated:  # not isinstance: it is slow for pydantic's classes
        if opener.subject:
            return opener.subject
        return f"Conference organized by {opener.organizer.name}" if opener.organizer else "Conference"
    started = cast("ConversationStarted | CallStarted", opener)
    people = (*started.participants, *started.invited)
    names = list(islice((person.name for person in people if person.sip != owner), SUBJECT_NAMES_MAX))
    others = ", ".join(names)[:SUBJECT_CHARS_MAX]
    more = len(people) - 1 - len(names)
    if more > 0:
        others += f" and {more} more"
    if type(opener) is CallStarted:
        return f"Call with {others}" if present else f"Missed call from {others}"
    return f"Conversation with {others}" if present else f"Missed conversation with {others}"
