"""An archive of a test's own: topics, a database and a group that nobody else has, and what is done with them."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import uuid4

from consumers.mongo.store import connect
from consumers.reading import QuarantineQuery
from deploy.archiving import topic_streams
from deploy.errors import WorkerFailed
from deploy.export import mailbox_documents
from deploy.kafka_login import kafka_login
from deploy.reading import reading, sip_address
from deploy.settings import PREFIX as VARIABLES
from deploy.settings import content_name
from deploy.stack.topics import delete_topics, ensure_topics
from deploy.testing.background import Background
from deploy.testing.servers import PREFIX, Servers
from deploy.trust import introduce_issuer
from deploy.verification.comparison import Difference, Verdict
from deploy.verification.model import Line
from deploy.verification.run import verify_whole
from deploy.verification.texts import texts
from producers.kafka_publisher import KafkaPublisher
from producers.recording import Recording
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.errors import Misconfigured
from schemas.login import ADMIN, PRODUCER
from schemas.record import Record

Result = TypeVar("Result")

LIMIT_S: Final = 600.0
"""One step: publishing, archiving or comparing a recording of some hundred thousand records."""

Source = str | os.PathLike[str] | Iterable[Record]
"""A recording's file, or its records."""


class Archive:
    """A new archive. Every method waits until its work is done; none needs asyncio."""

    def __init__(self, servers: Servers, background: Background) -> None:
        mark = f"{PREFIX}-{uuid4().hex[:12]}"
        self.database = mark
        self.topics = Topics(f"{mark}.conversations", f"{mark}.conferences", f"{mark}.contacts")
        self._servers = servers
        self._background = background
        self.settings = servers.settings(
            kafka={
                "group": mark,
                "conversations_topic": self.topics.conversations,
                "conferences_topic": self.topics.conferences,
                "contacts_topic": self.topics.contacts,
            },
            mongodb={"database": mark},
        )
        self._run(self._make())

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables with which `lync-archiver`, in a process of its own, works on this archive.

        They go on top of the process's others, of which settings that they do not name are in force too.
        """
        kafka = self.settings.kafka
        return {
            f"{VARIABLES}KAFKA__BOOTSTRAP": self._servers.bootstrap,
            f"{VARIABLES}KAFKA__GROUP": kafka.group,
            f"{VARIABLES}KAFKA__CONVERSATIONS_TOPIC": kafka.conversations_topic,
            f"{VARIABLES}KAFKA__CONFERENCES_TOPIC": kafka.conferences_topic,
            f"{VARIABLES}KAFKA__CONTACTS_TOPIC": kafka.contacts_topic,
            f"{VARIABLES}MONGODB__URI": self._servers.mongodb_uri,
            f"{VARIABLES}MONGODB__DATABASE": self.database,
            f"{VARIABLES}ISSUER__URL": self._servers.issuer,
            f"{VARIABLES}ISSUER__FOLDER": str(self._servers.issuer_folder.absolute()),
        }

    def records(self, source: Source) -> list[Record]:
        """Return the records, each of one of the product's topics moved to this archive's topic of the same role."""
        records = Recording(Path(source)).read() if isinstance(source, str | os.PathLike) else source
        own = dict(zip(Topics().names, self.topics.names, strict=True))
        return [record._replace(topic=own.get(record.topic, record.topic)) for record in records]

    def publish(self, source: Source) -> int:
        """Publish records as fast as it goes and return how many."""
        return self._run(self._publish(self.records(source)))

    def archive(self, *arguments: str) -> dict[str, int]:
        """Run a real archiver until it has caught up; return its counts.

        `arguments` are more of the command's own. Raises WorkerFailed with its message where it fails.
        """
        return self._run(self._archive(arguments))

    def verify(self, source: Source) -> tuple[Verdict, list[Difference]]:
        """Compare the archive with what the records say; all that it holds must be theirs.

        Raises Misconfigured where the records say nothing, since none is of a topic that is archived.
        """
        records, streams = self.records(source), topic_streams(self.settings)
        if not any(record.topic in streams for record in records):
            raise Misconfigured("no record of the recording is of a topic that is archived")
        found: list[Difference] = []
        verdict = self._run(verify_whole(records, self.settings, found.append))
        return verdict, found

    def texts(self, source: Source, differences: Iterable[Difference]) -> Mapping[Line, str]:
        """Return what people wrote, of the entries that these differences want."""
        lines = {difference.wanted for difference in differences if difference.wanted is not None}
        limit = self.settings.archive.record_bytes_max
        return texts(self.records(source), topic_streams(self.settings), limit, lines)

    def mailboxes(self) -> list[str]:
        """Return the SIP addresses of all mailboxes, in order."""
        return self._run(self._mailboxes())

    def items(self, user: str) -> list[dict[str, Any]]:
        """Return a mailbox's items as `mailbox export` writes them, by start and id; none where there is no mailbox."""
        return self._run(self._items(sip_address(user)))

    def quarantine(self) -> list[tuple[str, str]]:
        """Return id and cause of every record in quarantine, newest first."""
        return self._run(self._quarantine())

    def drop(self) -> None:
        """Remove the topics and the database."""
        self._run(self._drop())

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._background.run(work, LIMIT_S)

    async def _make(self) -> None:
        async with kafka_login(self.settings, ADMIN) as admin:
            await ensure_topics(self._servers.bootstrap, self.topics, SystemClock(), login=admin)
        await introduce_issuer(self.settings)

    async def _publish(self, records: list[Record]) -> int:
        async with (
            kafka_login(self.settings, PRODUCER) as login,
            KafkaPublisher(self._servers.bootstrap, login) as publisher,
        ):
            return await publisher.publish(_streamed(records))

    async def _archive(self, arguments: tuple[str, ...]) -> dict[str, int]:
        # -P: a folder `deploy` of the user's, where the tests run, is not ours.
        command = [sys.executable, "-P", "-m", "deploy", "archive", "--until-caught-up", "--json", *arguments]
        environment = os.environ | self.environment  # noqa: TID251  handed on
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)
        try:
            output, errors = await process.communicate()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            last = errors.decode(errors="replace").strip().rsplit("\n", 1)[-1]
            raise WorkerFailed(f"the archiver ended with exit code {process.returncode}: {last}", process.returncode)
        counts: dict[str, int] = json.loads(output)
        return counts

    async def _mailboxes(self) -> list[str]:
        async with reading(self.settings) as reader:
            return [mailbox.user async for mailbox in reader.mailboxes()]

    async def _items(self, user: str) -> list[dict[str, Any]]:
        async with reading(self.settings) as reader:
            return [document async for document in mailbox_documents(reader, user)]

    async def _quarantine(self) -> list[tuple[str, str]]:
        async with reading(self.settings) as reader:
            return [(found.id, str(found.entry.cause)) async for found in reader.quarantine(QuarantineQuery())]

    async def _drop(self) -> None:
        async with kafka_login(self.settings, ADMIN) as admin:
            await delete_topics(self._servers.bootstrap, self.topics.names, admin)
        database = connect(self._servers.mongodb_uri, self.database)
        try:
            for name in (self.database, content_name(self.settings)):
                await database.client.drop_database(name)
        finally:
            database.client.close()


async def _streamed(records: list[Record]) -> AsyncIterator[Record]:
    for record in records:
        yield record
