"""Who took part in a conversation, while one batch is folded into it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from consumers.conversation import Member, Move
from schemas.events import Participant, Role
from schemas.limits import SEQUENCE_MAX
from schemas.meetings import Origin

UNNAMED: Final = SEQUENCE_MAX
"""`Member.named_by` of somebody whom only leaves and roles mention so far: any event that names them is earlier."""

_NEAREST: Final = tuple(Origin)
"""Origins as they are declared: the nearest first."""


class Roster:
    """The members of one conversation; the snapshot it starts from is never changed.

    Every method is a set operation: the order of calls does not matter. `touched` holds the people whose item may
    have changed.
    """

    __slots__ = ("_members", "_own", "touched")

    def __init__(self, members: Mapping[str, Member]) -> None:
        self._members = members
        self._own: dict[str, Member] | None = None
        self.touched: set[str] = set()

    @property
    def members(self) -> Mapping[str, Member]:
        """The members by SIP address, as a view that cannot be changed through."""
        return self._members if self._own is None else MappingProxyType(self._own)

    def unknown(self, people: tuple[str, ...]) -> int:
        """Return how many of these people are not members yet."""
        return len(set(people) - self._members.keys())

    def come(self, person: Participant, sequence: int, at: str, origin: Origin = Origin.INTERNAL) -> None:
        """Somebody is present from this sequence on, in the role that they are given."""
        move = Move(sequence, at, True, person.role is Role.PRESENTER)
        if person.sip not in self._members:  # nearly always, and `replace` is slow
            self._put(Member(person.sip, person.name, person.role, sequence, at, (move,), None, origin))
            return
        member = self._named(person, sequence, at)
        nearest = origin if member.origin is None else min(origin, member.origin, key=_NEAREST.index)
        self._put(replace(member, moves=_with(member.moves, move), origin=nearest))

    def go(self, sip: str, sequence: int, at: str, *, full: bool = False) -> None:
        """Somebody is gone after this sequence. Of a `full` conversation it is noted where it takes something away."""
        self._moved(sip, Move(sequence, at, False), full=full)

    def appoint(self, sip: str, role: Role, sequence: int, at: str, *, full: bool = False) -> None:
        """Somebody has this role from this sequence on, present or not; of a `full` conversation as for `go`."""
        self._moved(sip, Move(sequence, at, None, role is Role.PRESENTER), full=full)

    def invite(self, person: Participant, sequence: int, at: str) -> None:
        """Somebody was asked to come, and is not present for that."""
        self._put(self._named(person, sequence, at))

    def miss(self, person: Participant, sequence: int, at: str) -> None:
        """Somebody who was asked never answered."""
        member = self._named(person, sequence, at)
        missed = sequence if member.missed is None else min(sequence, member.missed)
        self._put(replace(member, missed=missed))

    def touch(self, people: Iterable[str]) -> None:
        """What these people may see has changed; those who are no members have nothing that shows it."""
        self.touched.update(self._members.keys() & set(people))

    def touch_all(self) -> None:
        """Something that every item shows has changed."""
        self.touched.update(self._members)

    def touch_missed(self) -> None:
        """The first message has changed, which is what a missed item holds."""
        self.touched.update(sip for sip, member in self._members.items() if member.missed is not None)

    def _moved(self, sip: str, move: Move, *, full: bool) -> None:
        member = self._members.get(sip) or Member(sip, "", Role.ATTENDEE, UNNAMED, "")
        if not full:
            self._put(replace(member, moves=_with(member.moves, move)))
        elif _takes_away(member.moves, move):
            self._put(replace(member, moves=_instead(member.moves, move)))

    def _named(self, person: Participant, sequence: int, at: str) -> Member:
        """Return the member, with name and role of the earliest event that gives them.

        Earliest by time, and by name where times are equal, as a mailbox's first use is: both choose alike.
        """
        member = self._members.get(person.sip)
        if member is None:
            return Member(person.sip, person.name, person.role, sequence, at)
        first = at, person.name, person.role
        if member.named_by != UNNAMED:
            first = min(first, (member.named_at, member.name, member.role))
        named_at, name, role = first
        return replace(member, name=name, role=role, named_at=named_at, named_by=min(sequence, member.named_by))

    def _put(self, member: Member) -> None:
        if self._own is None:
            self._own = dict(self._members)
            self._members = self._own
        self._own[member.sip] = member
        self.touched.add(member.sip)


def _with(moves: tuple[Move, ...], move: Move) -> tuple[Move, ...]:
    if not moves or moves[-1].sequence < move.sequence:
        return (*moves, move)
    return tuple(sorted((*moves, move)))


def _takes_away(moves: tuple[Move, ...], move: Move) -> bool:
    """Return whether who goes, or is demoted, was there, or a presenter, until then. If not, a later coming alone could
    make it matter, and a full conversation takes none.
    """
    for earlier in reversed(moves):
        if earlier.sequence < move.sequence:
            before = _said(earlier, move)
            if before is not None:
                return before
    return False


def _instead(moves: tuple[Move, ...], move: Move) -> tuple[Move, ...]:
    """Return the moves with one that takes away, and without the next that took the same away: they do not grow by
    however many that each come before the other.
    """
    kept = _with(moves, move)
    index = kept.index(move) + 1
    while index < len(kept) and _said(kept[index], move) is None:
        index += 1
    if index < len(kept) and _said(kept[index], move) is False and not kept[index].present:
        return kept[:index] + kept[index + 1 :]
    return kept


def _said(one: Move, move: Move) -> bool | None:
    """Return what one move says of that which the other is about: being there, or the role."""
    return one.presenter if move.present is None else one.present
