"""Documents: how events, conversations, items and checkpoints are written in MongoDB, and read back.

Pure functions, the only ones that know field names. A segment's events are one text, a line each. Times of events are
kept as given, as RFC 3339 text; `started` is the same as a date, for sorting.
"""

from datetime import UTC
from typing import Any

from consumers.batch import Checkpoint, Counts, LaneId, Log, Quarantined
from consumers.content import Attachment, Claim, ContentState, Place
from consumers.conversation import Conversation
from consumers.event_text import read_events
from consumers.folder import FolderId
from consumers.grant import Grant
from consumers.item import Item, ItemClass, Status
from consumers.missing import KeptOrder, Loss, SkipOrder
from consumers.mongo import rosters
from consumers.mongo.content import content_document, content_of
from consumers.mongo.tombstones import stays_of
from consumers.quarantine import Handling, Outcome, QuarantineEntry, State, entry_id
from consumers.segment import Segment
from consumers.transitions import Kind
from schemas.errors import Cause
from schemas.principals import Principal
from schemas.record import Record
from schemas.times import parse_time

Document = dict[str, Any]


def segment_document(segment: Segment) -> Document:
    return {
        "_id": {"conversation": segment.conversation, "first": segment.first},
        "last": segment.last,
        "ordinal": segment.ordinal,
        "previous": segment.previous,
        "hash": segment.hash,
        "events": segment.text,
    }


def segment_of(document: Document) -> Segment:
    return Segment(
        conversation=document["_id"]["conversation"],
        first=document["_id"]["first"],
        ordinal=document["ordinal"],
        events=read_events(document["events"]),
        text=document["events"],
        previous=bytes(document["previous"]),
        hash=bytes(document["hash"]),
    )


def conversation_document(conversation: Conversation, lane: LaneId) -> Document:
    """What changes with every batch."""
    ending = conversation.ending
    return {
        "kind": str(conversation.kind),
        "phase": str(conversation.phase),
        "lane": str(lane),
        "revision": conversation.revision,
        "segments": conversation.segments,
        "head": conversation.head,
        "held": [list(pair) for pair in conversation.held],
        "ending": ending and {"sequence": ending.sequence, "at": ending.at},
        "first_message": conversation.first_message,
        "messages": conversation.messages,
        "last_at": conversation.last_at,
    }


def conversation_of(document: Document) -> Conversation:
    """Read a conversation; without its members where the document was read without them, or it was removed."""
    stays = stays_of(document)
    if stays.removed:
        return stays
    return stays._replace(
        opening=rosters.opening_of(document),
        first_message=document["first_message"],
        messages=document["messages"],
        last_at=document["last_at"],
        kept=document.get("kept", False),
        purged=frozenset(document.get("purged", ())),
        undelivered=rosters.undelivered_of(document),
        members=rosters.members_of(document),
    )


def item_document(item: Item) -> Document:
    return {
        "mailbox": item.mailbox,
        "folder": str(item.folder),
        "conversation": item.conversation,
        "kind": str(item.kind),
        "item_class": str(item.item_class),
        "subject": item.subject,
        "status": str(item.status),
        "thread": item.thread,
        "started": parse_time(item.started_at)[1] if item.started_at else None,
        "started_at": item.started_at,
        "visible": [list(pair) for pair in item.visible],
        "presented": [list(pair) for pair in item.presented],
        "undelivered": list(item.undelivered),
    }


def item_of(document: Document) -> Item:
    return Item(
        id=document["_id"],
        mailbox=document["mailbox"],
        folder=FolderId(document["folder"]),
        conversation=document["conversation"],
        kind=Kind(document["kind"]),
        item_class=ItemClass(document["item_class"]),
        subject=document["subject"],
        status=Status(document["status"]),
        thread=document["thread"],
        started_at=document["started_at"],
        visible=tuple((first, last) for first, last in document["visible"]),
        presented=tuple((first, last) for first, last in document.get("presented", ())),
        undelivered=tuple(document.get("undelivered", ())),
    )


def attachment_id(place: Place) -> Document:
    """Where a file hangs; the order of the fields is part of it."""
    conversation, sequence = place
    return {"conversation": conversation, "sequence": sequence}


def attachment_document(attachment: Attachment) -> Document:
    return {
        "_id": attachment_id((attachment.conversation, attachment.sequence)),
        "sha256": attachment.claim.sha256,
        "size": attachment.claim.size,
        "state": str(attachment.state),
    }


def attachment_of(document: Document) -> Attachment:
    return Attachment(
        conversation=document["_id"]["conversation"],
        sequence=document["_id"]["sequence"],
        claim=Claim(document["sha256"], document["size"]),
        state=ContentState(document["state"]),
    )


def writer_document(grant: Grant) -> Document:
    """Who wrote an item: names, never a token."""
    return {"application": grant.principal.application, "realm": grant.principal.realm, "token": grant.token_id}


def lane_of(name: str) -> LaneId:
    """Read a lane's name, which is its checkpoint's `_id`."""
    topic, partition = name.rsplit("/", 1)
    return LaneId(topic, int(partition))


def checkpoint_of(lane: LaneId, document: Document) -> Checkpoint:
    watermark = document["watermark"]
    return Checkpoint(
        lane=lane,
        next=document["next"],
        counts=Counts(document["archived"], document["duplicate"], document["quarantined"]),
        watermark=watermark and watermark.replace(tzinfo=UTC),
        log=log_of(document),
    )


def log_document(log: Log) -> Document:
    return {"topic_id": log.topic_id, "log": log.number}


def log_of(document: Document) -> Log:
    """Read a log; checkpoints of earlier releases name none."""
    return Log(document.get("topic_id"), document.get("log", 0))


def order_document(kept: KeptOrder) -> Document:
    order = kept.order
    return {
        "topic": order.lane.topic,
        "partition": order.lane.partition,
        "at": kept.at,
        "application": kept.principal.application,
        "realm": kept.principal.realm,
        "token": kept.token_id,
        "start": order.start,
        "to": order.to,
        "before": log_document(order.before),
        "after": log_document(order.after),
        "loss": str(order.loss),
        "given_up": order.given_up,
        "first": order.first,
        "end": order.end,
        "reason": order.reason,
    }


def order_of(document: Document) -> KeptOrder:
    order = SkipOrder(
        lane=LaneId(document["topic"], document["partition"]),
        start=document["start"],
        to=document["to"],
        before=log_of(document["before"]),
        after=log_of(document["after"]),
        loss=Loss(document["loss"]),
        given_up=document["given_up"],
        first=document["first"],
        end=document["end"],
        reason=document["reason"],
    )
    principal = Principal(document["application"], document["realm"])
    return KeptOrder(order, document["at"], principal, document["token"])


def quarantine_document(entry: Quarantined, fingerprint: bytes) -> Document:
    """The whole record, byte for byte; its place in Kafka is its id, so that it cannot be there twice."""
    record = entry.record
    return {
        "_id": entry_id(record, entry.log),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        **({"log": entry.log} if entry.log else {}),
        "timestamp_ms": record.timestamp_ms,
        **content_document(record.key, record.headers, record.value),
        "cause": str(entry.cause),
        "detail": entry.detail,
        "refers": sorted(entry.refers),
        "fingerprint": fingerprint,
        "state": str(State.QUARANTINED),
        "tries": 0,
    }


def quarantined_of(document: Document) -> Quarantined:
    key, headers, value = content_of(document)
    record = Record(
        topic=document["topic"],
        partition=document["partition"],
        offset=document["offset"],
        timestamp_ms=document["timestamp_ms"],
        key=key,
        headers=headers,
        value=value,
    )
    refers = frozenset(document.get("refers", ()))
    return Quarantined(record, Cause(document["cause"]), document["detail"], document.get("log", 0), refers)


def quarantine_entry_of(document: Document) -> QuarantineEntry:
    """Read an entry. One that was written before entries had states has none, and is quarantined."""
    handled = document.get("handled")
    return QuarantineEntry(
        entry=quarantined_of(document),
        quarantined_at=document["quarantined_at"],
        state=State(document.get("state", State.QUARANTINED)),
        tries=document.get("tries", 0),
        handled=handled and _handling_of(handled),
    )


def handling_document(handling: Handling) -> Document:
    return {
        "at": handling.at,
        "application": handling.principal.application,
        "realm": handling.principal.realm,
        "token": handling.token_id,
        "outcome": handling.outcome and str(handling.outcome),
        "reason": handling.reason,
        "replacement": handling.replacement,
    }


def _handling_of(document: Document) -> Handling:
    outcome, replacement = document["outcome"], document["replacement"]
    return Handling(
        at=document["at"],
        principal=Principal(document["application"], document["realm"]),
        token_id=document["token"],
        outcome=outcome and Outcome(outcome),
        reason=document["reason"],
        replacement=replacement and bytes(replacement),
    )
