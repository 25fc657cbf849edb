"""What rarely changes of a conversation, as fields of its document: its opening, who took part, what did not arrive.

Pure functions, and the only ones that know these names. Fields that a layout added are read where they are there.
"""

from collections.abc import Mapping
from types import MappingProxyType

from consumers.conversation import Conversation, Member, Move, Opener, Opening
from consumers.mongo.layout import Document
from consumers.undelivered import Undelivered
from schemas.catalogue import MODELS, TYPES, EventType
from schemas.envelope import canonical
from schemas.events import Role
from schemas.meetings import Origin


def roster_document(conversation: Conversation) -> Document:
    """Return these fields, lists in an order that follows from the events, and not from how they came."""
    opening = conversation.opening
    members = sorted(conversation.members.values(), key=lambda one: (one.named_by, one.sip))
    return {
        "opening": opening and _opening_document(opening),
        "members": [_member_document(member) for member in members],
        "kept": conversation.kept,
        "undelivered": [
            {"sip": sip, "messages": list(sequences)} for sip, sequences in sorted(conversation.undelivered.items())
        ],
    }


def opening_of(document: Document) -> Opening | None:
    opening = document["opening"]
    if opening is None:
        return None
    data = MODELS[EventType(opening["type"])].model_validate_json(opening["data"])
    assert isinstance(data, Opener)
    return Opening(opening["at"], data, opening.get("pool", ""))


def members_of(document: Document) -> Mapping[str, Member]:
    """Read the members, none where the document was read without them."""
    return MappingProxyType({member["sip"]: _member_of(member) for member in document.get("members", ())})


def undelivered_of(document: Document) -> Undelivered:
    return MappingProxyType({one["sip"]: tuple(one["messages"]) for one in document.get("undelivered", ())})


def _opening_document(opening: Opening) -> Document:
    return {
        "at": opening.at,
        "type": str(TYPES[type(opening.data)]),
        "data": canonical(opening.data).decode(),
        "pool": opening.pool,
    }


def _member_document(member: Member) -> Document:
    return {
        "sip": member.sip,
        "name": member.name,
        "role": str(member.role),
        "named_by": member.named_by,
        "named_at": member.named_at,
        "moves": [list(move) for move in member.moves],
        "missed": member.missed,
        "origin": member.origin and str(member.origin),
    }


def _member_of(document: Document) -> Member:
    moves, role = tuple(Move(*move) for move in document["moves"]), Role(document["role"])
    if "origin" in document:
        origin = document["origin"] and Origin(document["origin"])
    else:  # before layout 4 everybody was of the organisation, and of roles nothing was kept but the one of the name
        moves = _cast(moves, role)
        origin = Origin.INTERNAL if any(move.present for move in moves) else None
    return Member(
        sip=document["sip"],
        name=document["name"],
        role=role,
        named_by=document["named_by"],
        named_at=document["named_at"],
        moves=moves,
        missed=document["missed"],
        origin=origin,
    )


def _cast(moves: tuple[Move, ...], role: Role) -> tuple[Move, ...]:
    """Say the role of comings that were kept without one: the first has it, and nobody sees more by a later one."""
    said: list[Move] = []
    for move in moves:
        first = not any(earlier.present for earlier in said)
        said.append(move._replace(presenter=first and role is Role.PRESENTER) if move.present else move)
    return tuple(said)
