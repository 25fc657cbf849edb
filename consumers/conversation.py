"""A conversation as the archiver knows it: frozen facts, each a function of the set of its events."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from consumers.sequences import Ranges, gaps
from consumers.transitions import Kind, Phase
from consumers.undelivered import ALL_DELIVERED, Undelivered
from schemas.events import CallStarted, ConferenceActivated, ConversationStarted, Role
from schemas.meetings import Origin

Opener = ConversationStarted | CallStarted | ConferenceActivated

CHAIN_START: Final = bytes(32)
"""What stands for the previous hash before a conversation's first segment."""


class Move(NamedTuple):
    """A person came (`present`), went, or had their role changed (None), at a sequence and a time (RFC 3339 UTC).

    `presenter` is the role that they have from here on, None where nothing is said of it.
    """

    sequence: int
    at: str
    present: bool | None
    presenter: bool | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a conversation, with every coming, going and change of role in order of sequence.

    `named_by` is the least sequence of an event that names the person; `named_at`, `name` and `role` are together the
    least (time, name, role) of these events.
    `missed` is the sequence of the event that says they never answered. `origin` is the nearest of those that their
    comings say, None where they never came.
    """

    sip: str
    name: str
    role: Role
    named_by: int
    named_at: str
    moves: tuple[Move, ...] = ()
    missed: int | None = None
    origin: Origin | None = None

    @property
    def internal(self) -> bool:
        """Whether they are of the organisation itself, and so may have a mailbox here."""
        return self.origin is None or self.origin is Origin.INTERNAL


NOBODY: Final[Mapping[str, Member]] = MappingProxyType({})
"""The members of a conversation that nobody took part in yet."""


class Opening(NamedTuple):
    """The event with sequence 1, when it happened, and the pool that hosts the conference, empty where none does."""

    at: str
    data: Opener
    pool: str = ""


class Ending(NamedTuple):
    """The last event: its sequence is all there is to hold."""

    sequence: int
    at: str


class Conversation(NamedTuple):
    """One conversation, call or conference occurrence.

    `revision` counts the commits that changed it, `segments` its stored pieces, `head` is the hash of the newest.
    These three depend on how the events were batched; everything else depends on the set of events alone, and `kept`,
    whether anybody's copy is archived, on the policies of their times too.

    `purged` are those whose copy was purged: they have none any more, whatever comes. Of one that is `removed` nothing
    is there but what proves that it was: its state, but neither its members nor what was said.
    """

    id: str
    kind: Kind
    phase: Phase = Phase.AWAITED
    revision: int = 0
    segments: int = 0
    head: bytes = CHAIN_START
    held: Ranges = ()
    opening: Opening | None = None
    ending: Ending | None = None
    first_message: int | None = None
    messages: int = 0
    last_at: str = ""
    members: Mapping[str, Member] = NOBODY
    kept: bool = False
    purged: frozenset[str] = frozenset()
    removed: bool = False
    undelivered: Undelivered = ALL_DELIVERED

    @property
    def gaps(self) -> Ranges:
        """The sequences that are known to exist and are not held."""
        return gaps(self.held, self.ending.sequence if self.ending else None)

    @property
    def complete(self) -> bool:
        """Whether the end is known and everything up to it is held."""
        return self.phase is Phase.ENDED and not self.gaps
