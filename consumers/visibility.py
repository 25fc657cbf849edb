"""What a person may see, from when they were present: the one place that decides it."""

from typing import NamedTuple

from consumers.conversation import Conversation, Member, Move
from consumers.transitions import Kind

Visible = tuple[tuple[int, int | None], ...]
"""Inclusive ranges of sequences; None as the last means until the end."""


class Stint(NamedTuple):
    """One stay: the move that began it, and the one that ended it, if any."""

    joined: Move
    left: Move | None


def stints(moves: tuple[Move, ...]) -> tuple[Stint, ...]:
    """Return the stays that these moves, in order of sequence, make up.

    A join of somebody present and a leave of somebody absent change nothing.
    """
    stays: list[Stint] = []
    joined: Move | None = None
    for move in moves:
        if move.present and joined is None:
            joined = move
        elif not move.present and joined is not None:
            stays.append(Stint(joined, move))
            joined = None
    if joined is not None:
        stays.append(Stint(joined, None))
    return tuple(stays)


def visible(conversation: Conversation, member: Member) -> Visible:
    """Return the sequences that this member may see: from each join to the leave that follows, both included.

    Somebody who never came and is reported as having missed the conversation sees its first message, which is what
    the invitation showed them (domain reference, section 9: a missed item without it is a known complaint).
    """
    stays = stints(member.moves)
    if stays:
        return tuple((stay.joined.sequence, stay.left.sequence if stay.left else None) for stay in stays)
    if member.missed is None or conversation.kind is not Kind.CONVERSATION or conversation.first_message is None:
        return ()
    return ((conversation.first_message, conversation.first_message),)


def sees(ranges: Visible, sequence: int) -> bool:
    """Return whether the ranges cover the sequence."""
    return any(first <= sequence and (last is None or sequence <= last) for first, last in ranges)
