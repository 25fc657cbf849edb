"""The policies as the fold uses them: for one conversation, where each member's copy of it is archived."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from consumers.conversation import Conversation, Member
from consumers.policy.book import PolicyBook
from consumers.policy.decision import COVERED, SessionKind, Switches, Target, decide
from consumers.roster import UNNAMED
from consumers.transitions import Kind
from schemas.times import parse_time

AS_READ: Final = Switches()
"""The readings that this product takes unless it is told otherwise."""

SESSIONS: Final = {Kind.CONVERSATION: SessionKind.IM, Kind.CONFERENCE: SessionKind.CONFERENCE}
"""What policies speak of; a call is neither, since no audio or video is archived (domain reference, section 1.1)."""


class Ruling(NamedTuple):
    """What the policies say of a conversation: each member's target, and who keeps no conversation history.

    With `messages_only` the instant messages of a conference are archived, and nothing else of it: the pool that hosts
    it archives no conferences (domain reference, section 1.1).
    """

    targets: Mapping[str, Target]
    unseen: frozenset[str]
    messages_only: bool = False

    @property
    def kept(self) -> bool:
        """Whether anybody's copy is archived: then the whole of a conference is (domain reference, section 1.1)."""
        return any(target is not Target.NONE for target in self.targets.values())


NOTHING: Final = Ruling({}, frozenset())
"""Without any policy nothing is archived, and everybody sees their history."""


@dataclass(frozen=True, slots=True)
class Governance:
    """The policies as they were at the entry `book.number` of their history."""

    book: PolicyBook
    switches: Switches = AS_READ

    def rule(self, conversation: Conversation) -> Ruling:
        """Decide for each member, by what was in force when they first came.

        One moment for each, so that a change of policy does not cut their copy in two. A conversation is external
        where any of its members is not of the organisation, or had no account when they came, however late they did.
        Only those of the organisation have a target. Whom nothing names but leaves and roles never came, and counts for
        nothing.
        """
        kind = SESSIONS.get(conversation.kind)
        if not self.book.number or kind is None:
            return NOTHING
        people = [member for member in conversation.members.values() if member.named_by != UNNAMED]
        moments = {member.sip: came_at(member) for member in people if member.internal}
        users = {sip: self.book.user(sip, moment) for sip, moment in moments.items()}
        external = None in users.values() or len(moments) < len(people)
        targets = {
            sip: decide(self.book, sip, moment, kind, external=external, switches=self.switches).target
            for sip, moment in moments.items()
        }
        unseen = frozenset(sip for sip, user in users.items() if user is not None and not user.conversation_history)
        return Ruling(targets, unseen, self._hosted_without(conversation, kind))

    def _hosted_without(self, conversation: Conversation, kind: SessionKind) -> bool:
        """Return whether the pool that hosts a conference archives none, as of its opening.

        A pool that no policy names hosts as the members' own pools say.
        """
        opening = conversation.opening
        if kind is not SessionKind.CONFERENCE or opening is None or not opening.pool:
            return False
        moment = parse_time(opening.at)[1]
        if not self.book.names(opening.pool, moment):
            return False
        return kind not in COVERED[self.book.configuration(opening.pool, moment)[0].enable_archiving]


UNGOVERNED: Final = Governance(PolicyBook())


def came_at(member: Member) -> datetime:
    """Return when somebody first came, by sequence; of who never came, when they were first named.

    Of whom nothing but a leave is held yet, that one's time: what names them is still to come.
    """
    came = next((move.at for move in member.moves if move.present), member.named_at)
    return parse_time(came or member.moves[0].at)[1]
