"""Composition of a verification: the recording, the settings' topics and the archive."""

from collections.abc import Iterable

from deploy.archiving import topic_streams
from deploy.content import content_store
from deploy.reading import reading
from deploy.settings import Settings
from deploy.verification.beyond import beyond
from deploy.verification.comparison import Note, Verdict, compare
from deploy.verification.model import expect
from schemas.record import Record


async def verify(records: Iterable[Record], settings: Settings, note: Note = lambda _: None) -> Verdict:
    """Compare a recording's records with the archive that the settings name; `note` is told of each difference."""
    expectation = expect(records, topic_streams(settings), settings.archive.record_bytes_max)
    async with reading(settings) as reader, content_store(settings) as files:
        return await compare(expectation, reader, note, files)


async def verify_whole(records: Iterable[Record], settings: Settings, note: Note) -> Verdict:
    """Compare an archive that was filled from these records alone, and so may hold nothing else."""
    expectation = expect(records, topic_streams(settings), settings.archive.record_bytes_max)
    async with reading(settings) as reader, content_store(settings) as files:
        verdict = await compare(expectation, reader, note, files)
        async for difference in beyond(expectation, reader):
            verdict.count(difference)
            note(difference)
    return verdict
