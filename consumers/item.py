"""One conversation in one folder of one mailbox."""

from enum import StrEnum
from typing import NamedTuple

from consumers.folder import FolderId
from consumers.transitions import Kind

Visible = tuple[tuple[int, int | None], ...]
"""Inclusive ranges of sequences; None as the last means until the end."""


class ItemClass(StrEnum):
    """Exchange's item classes for what Lync leaves in a mailbox (domain reference, section 2.2)."""

    CONVERSATION = "IPM.Note.Microsoft.Conversation"
    CALL = "IPM.Note.Microsoft.Conversation.Voice"
    MISSED = "IPM.Note.Microsoft.Missed"
    MISSED_CALL = "IPM.Note.Microsoft.Missed.Voice"


class Status(StrEnum):
    """A conversation log's status (UCWA `ConversationLogStatus`)."""

    ARCHIVED = "archived"
    MISSED = "missed"


class Item(NamedTuple):
    """What a mailbox holds of a conversation: where it lies, what it is called, and what its owner may see.

    `id` is 32 hexadecimal digits, a function of mailbox and conversation. `started_at` is RFC 3339 UTC, or None while
    the opening event is not held. Text is not here: it is in the conversation's segments, once for all mailboxes.
    What `consumers.visibility` decides by: the owner was there in `visible`, had a presenter's role in `presented`, and
    the messages with the sequences `undelivered` did not reach them.
    """

    id: str
    mailbox: str
    folder: FolderId
    conversation: str
    kind: Kind
    item_class: ItemClass
    subject: str
    status: Status
    thread: str
    started_at: str | None
    visible: Visible
    presented: Visible = ()
    undelivered: tuple[int, ...] = ()
