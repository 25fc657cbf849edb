"""What an archive holds beyond a recording, where it was filled from that recording alone."""

from collections.abc import AsyncIterator

from consumers.reading import ArchiveReader, QuarantineQuery
from deploy.export import item_document
from deploy.verification.audience import shares
from deploy.verification.comparison import Difference
from deploy.verification.model import Expectation
from schemas.fingerprint import fingerprint


async def beyond(expectation: Expectation, reader: ArchiveReader) -> AsyncIterator[Difference]:
    """Yield as leaked what the recording says nothing of: mailboxes, items of conversations, records in quarantine.

    Of those who are not of the organisation it says that they have no mailbox, however often it names them.
    """
    owners = {owner for history in expectation.histories.values() for owner in shares(history)}
    async for mailbox in reader.mailboxes():
        if mailbox.user not in owners:
            yield Difference("leaked", mailbox.user, "the mailbox")
        async for listed in reader.all_items(mailbox.user):
            if listed.conversation.id not in expectation.histories:
                document = await item_document(reader, listed)
                pairs = max(1, len(document["entries"]))
                yield Difference("leaked", mailbox.user, listed.conversation.id, pairs=pairs)
    known = expectation.quarantined.keys() | expectation.of_files()  # the file of any event may be missing
    async for held in reader.quarantine(QuarantineQuery()):
        if fingerprint(held.entry.record) not in known:
            yield Difference("leaked", "", f"record {held.id}")
