"""What an archive holds that no record of a recording says: for one that holds that recording and nothing else."""

from consumers.reading import ArchiveReader, QuarantineQuery
from deploy.export import item_document
from deploy.verification.comparison import Difference, Note, Verdict
from deploy.verification.model import Expectation
from schemas.fingerprint import fingerprint


async def compare_strangers(expectation: Expectation, reader: ArchiveReader, verdict: Verdict, note: Note) -> None:
    """Count as leaked the items of conversations, and quarantined records, that the recording does not have at all.

    A quarantined record that it has is none, however often it came.
    """
    async for mailbox in reader.mailboxes():
        async for listed in reader.all_items(mailbox.user):
            name = listed.conversation.id
            if name not in expectation.histories:
                pairs = max(1, len((await item_document(reader, listed))["entries"]))
                verdict.leaked += pairs
                note(Difference("leaked", mailbox.user, name, pairs=pairs))
    async for entry in reader.quarantine(QuarantineQuery()):
        mark = fingerprint(entry.entry.record)
        if mark not in expectation.quarantined:
            verdict.leaked += 1
            note(Difference("leaked", "", f"record {mark.hex()[:16]}"))
