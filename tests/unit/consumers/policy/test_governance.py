"""What the policies say of one conversation, whoever of its members is known so far."""

from consumers.batch import Checkpoint
from consumers.fold import fold
from consumers.policy.decision import Target
from consumers.policy.governance import Governance
from consumers.policy.subject import GLOBAL, SubjectKind
from schemas.policies import ArchivedSessions, ArchivingConfiguration, ArchivingPolicy, DirectoryUser
from tests.builders import ALICE, BOB, CAROL, CONVERSATIONS, decoded, left, record, started
from tests.support.policies import book

GOVERNANCE = Governance(
    book(
        (SubjectKind.CONFIGURATION, GLOBAL, ArchivingConfiguration(enable_archiving=ArchivedSessions.IM_ONLY)),
        (SubjectKind.POLICY, GLOBAL, ArchivingPolicy(archive_internal=True)),
        *((SubjectKind.USER, who.sip, DirectoryUser()) for who in (ALICE, BOB, CAROL)),
    )
)


def test_somebody_of_whom_only_a_leave_tells_is_decided_by_its_time() -> None:
    """Their join may come late, or lie in quarantine: that stops no lane, and changes nothing for the others."""
    records = [record(1, started()), record(3, left(CAROL))]
    batch = fold(Checkpoint(CONVERSATIONS, 0), decoded(records), {}, {}, governance=GOVERNANCE)
    assert {copy.item.mailbox: copy.target for copy in batch.copies} == {
        ALICE.sip: Target.LYNC,
        BOB.sip: Target.LYNC,
    }
