"""Whether the files of a recording's events are what the archive says, or stubs whose records are in quarantine."""

import hashlib
from collections import Counter

from consumers.content import ContentState
from consumers.ports import ContentAltered, ContentStore
from consumers.reading import ArchiveReader, NotFound
from deploy.verification.model import History


class Files:
    """Looks at conversations one after another; `stubs` are the records that must be in quarantine for their files."""

    def __init__(self, reader: ArchiveReader, store: ContentStore | None) -> None:
        self.stubs: Counter[bytes] = Counter()
        self._reader = reader
        self._store = store
        self._found: dict[str, tuple[str, int]] = {}

    async def harmed(self, conversation: str, history: History) -> list[tuple[str, int]]:
        """Return which files of this conversation are `missing` or `altered`, by their sequence."""
        facts = {number: fact for number, fact in history.facts.items() if fact.file is not None}
        attachments = await self._reader.attachments(conversation) if facts else {}
        harmed = []
        for number, fact in sorted(facts.items()):
            found = attachments.get(number)
            if found is None:
                continue  # the event itself is missing, which was said
            if found.state is not ContentState.STORED:
                self.stubs[fact.record] += 1
                continue
            kind = await self._harm(fact.file or {})
            if kind is not None:
                harmed.append((kind, number))
        return harmed

    async def _harm(self, file: dict[str, object]) -> str | None:
        """Return what is wrong with a file that should be there: `missing` or `altered`."""
        if self._store is None:
            return None
        digest = str(file["sha256"])
        if digest not in self._found:
            self._found[digest] = await _read(self._store, digest)
        there, size = self._found[digest]
        return there or (None if size == file["size"] else "altered")


async def _read(store: ContentStore, sha256: str) -> tuple[str, int]:
    """Return what is wrong with the bytes of this digest, empty for nothing, and how many they are."""
    digest, size = hashlib.sha256(), 0
    try:
        async for portion in store.open(sha256):
            digest.update(portion)
            size += len(portion)
    except NotFound:
        return "missing", size
    except ContentAltered:
        return "altered", size
    return ("" if digest.hexdigest() == sha256 else "altered"), size
