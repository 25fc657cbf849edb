"""What may happen to a conversation, a call and a conference: the tables, and how they are meant.

Theory of operation
===================

Each conversation, call or conference occurrence is one machine. Its events carry a sequence from 1, without holes,
which the Lync side gave them; the archiver may meet them late, twice, or not at all. So the machine's phase says
*which of its two ends are held*, and nothing else:

    AWAITED   neither the opening event (sequence 1) nor the end is held; what came is kept, its order is known
    OPEN      the opening event is held
    CLOSING   the end is held, the opening event is still to come
    ENDED     both ends are held; what is missing between them is a gap that a late event may still fill

A phase never goes back, and the order in which a legal history's events arrive changes nothing: every path through the
table from AWAITED to a set of events ends in the same phase. That is why content and membership are legal in every
phase: an event with a sequence below the end is late, not wrong. What is wrong is decided beside the table, by
sequence: anything above the end (`AFTER_END`), an end below something held (`AFTER_END`), another event at a sequence
that is held (`SEQUENCE_CONFLICT`). For an *illegal* history the record that came first stays, the other is quarantined.

A key that is absent from a table is the refusal: an event of another kind, or a second opening or ending event. There
is no `if` for it anywhere.

Membership needs no phase. Who is present follows from the person's own joins and leaves in order of sequence: a join
of somebody present and a leave of somebody absent change nothing (`consumers.visibility`).

Idle closing (ten minutes, `consumers.idle`) is no phase either: it follows from the times of the events that are
held, so that a conversation that goes on later is the same conversation, and the same item.

Rules for whoever edits this file: all phase changes live here; the tables know nothing of folders, mailboxes or
storage; `docs/state-diagrams.md` is generated from them (`make schemas`), and a test fails when it drifts.
"""

from enum import StrEnum
from typing import Final

from schemas.catalogue import MODELS, EventType
from schemas.events import EventData


class Kind(StrEnum):
    """What a machine is about."""

    CONVERSATION = "conversation"
    CALL = "call"
    CONFERENCE = "conference"


class Phase(StrEnum):
    """Which ends of the history are held; see the theory of operation."""

    AWAITED = "awaited"
    OPEN = "open"
    CLOSING = "closing"
    ENDED = "ended"


Table = dict[Phase, dict[EventType, Phase]]


def _table(opens: EventType, ends: EventType, *between: EventType) -> Table:
    """Build a kind's table: the ends move it, what lies between leaves it where it is."""
    return {
        Phase.AWAITED: {opens: Phase.OPEN, ends: Phase.CLOSING} | dict.fromkeys(between, Phase.AWAITED),
        Phase.OPEN: {ends: Phase.ENDED} | dict.fromkeys(between, Phase.OPEN),
        Phase.CLOSING: {opens: Phase.ENDED} | dict.fromkeys(between, Phase.CLOSING),
        Phase.ENDED: dict.fromkeys(between, Phase.ENDED),
    }


TRANSITIONS: Final[dict[Kind, Table]] = {
    Kind.CONVERSATION: _table(
        EventType.CONVERSATION_STARTED,
        EventType.CONVERSATION_ENDED,
        EventType.CONVERSATION_MESSAGE,
        EventType.CONVERSATION_JOINED,
        EventType.CONVERSATION_LEFT,
        EventType.CONVERSATION_MISSED,
    ),
    Kind.CALL: _table(EventType.CALL_STARTED, EventType.CALL_ENDED, EventType.CALL_MISSED),
    Kind.CONFERENCE: _table(
        EventType.CONFERENCE_ACTIVATED,
        EventType.CONFERENCE_ENDED,
        EventType.CONFERENCE_JOINED,
        EventType.CONFERENCE_LEFT,
        EventType.CONFERENCE_MESSAGE,
        EventType.CONFERENCE_TOPIC,
        EventType.CONFERENCE_CONTENT_UPLOADED,
        EventType.CONFERENCE_WHITEBOARD_SNAPSHOT,
        EventType.CONFERENCE_JOINED_V2,
        EventType.CONFERENCE_ROLE_CHANGED,
        EventType.CONFERENCE_LOBBY_ENTERED,
        EventType.CONFERENCE_LOBBY_ADMITTED,
        EventType.CONFERENCE_LOBBY_DENIED,
        EventType.CONFERENCE_EJECTED,
        EventType.CONFERENCE_LOCKED,
        EventType.CONFERENCE_MODALITY_JOINED,
        EventType.CONFERENCE_MODALITY_LEFT,
        EventType.CONFERENCE_CONTENT_VISIBILITY,
        EventType.CONFERENCE_CONTENT_REMOVED,
        EventType.CONFERENCE_POLL_OPENED,
        EventType.CONFERENCE_POLL_TALLIED,
        EventType.CONFERENCE_POLL_VISIBILITY,
        EventType.CONFERENCE_POLL_CLOSED,
        EventType.CONFERENCE_QUESTION_ASKED,
        EventType.CONFERENCE_QUESTION_ANSWERED,
        EventType.CONFERENCE_NOTES_LINKED,
        EventType.CONFERENCE_SHARING_STARTED,
        EventType.CONFERENCE_SHARING_STOPPED,
        EventType.CONFERENCE_DELIVERY_FAILED,
    ),
}

KINDS: Final[dict[type[EventData], Kind]] = {
    MODELS[name]: kind for kind, table in TRANSITIONS.items() for moves in table.values() for name in moves
}
"""The kind of machine that an event is for, by its model."""

NEXT: Final[dict[tuple[Kind, Phase], dict[type[EventData], Phase]]] = {
    (kind, phase): {MODELS[name]: to for name, to in moves.items()}
    for kind, table in TRANSITIONS.items()
    for phase, moves in table.items()
}
"""The same tables by model, which is what the fold has in hand."""
