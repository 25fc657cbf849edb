"""What episodes take place on: one local stack, and links to each of its servers that can be disturbed."""
# ruff: noqa: TID251  the issuer of the stack reads its environment

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from pymongo import AsyncMongoClient

from deploy.settings import cache_folder, java_home
from deploy.stack import broker
from deploy.stack.acls import Pattern, ensure_acls
from deploy.stack.local import RunningStack, local_stack
from deploy.stack.process import Server
from deploy.stack.programs import Programs, find_programs
from deploy.stack.state import HOST, load_ports, settle_port
from deploy.stack.topics import delete_topics, ensure_topics
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.login import ADMIN
from tests.conftest import TEST_GROUPS, TEST_TOPICS
from tests.support.link import Link
from tests.support.program import PREFIX, Program

LIFE_S: Final = 6
"""A token's life, hence a session's with Kafka: several end in an episode, and an issuer is soon away for longer."""

READY_LIMIT_S: Final = 60.0
PARTITIONS: Final = 2
_LISTENER: Final = "LINK"
_LIFE: Final = f"{PREFIX}ISSUER__LIFE_S"


@dataclass(slots=True)
class Ground:
    """Servers of the stack, by name, and links to them; `trusted` are the documents of an archive that trusts it."""

    stack: RunningStack
    kafka: Link
    mongodb: Link
    issuer: Link
    programs: Programs
    partners: list[dict[str, Any]]

    @property
    def links(self) -> tuple[Link, Link, Link]:
        return self.kafka, self.mongodb, self.issuer

    @property
    def servers(self) -> tuple[Server, Server, Server]:
        return self.broker, self.mongod, self.stack.stack.issuer

    @property
    def mongod(self) -> Server:
        return self.stack.stack.mongodb

    @property
    def broker(self) -> Server:
        return self.stack.stack.kafka

    def program(self, topics: Topics, folder: Path, batch: int) -> Program:
        """Return the program with an empty archive of its own, which does not forgive wrong clocks."""
        settings = {"EXCHANGE__SKEW_S": "1", "ARCHIVE__BATCH": str(batch)}
        stack = self.stack
        return Program(
            stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.data / "issuer", topics, folder, settings=settings
        )

    def linked(self, program: Program) -> Program:
        """Return the same program with every server behind a link."""
        return replace(
            program,
            bootstrap=f"{HOST}:{self.kafka.port}",
            mongodb_uri=f"mongodb://{HOST}:{self.mongodb.port}/?directConnection=true",
            issuer=f"http://{HOST}:{self.issuer.port}",
        )

    @asynccontextmanager
    async def topics(self) -> AsyncIterator[Topics]:
        """Make three topics for as long as the block runs."""
        mark = uuid4().hex[:12]
        topics = Topics(*(f"{TEST_TOPICS}{mark}.{name}" for name in ("conversations", "conferences", "contacts")))
        login = self.stack.login(ADMIN)
        await ensure_topics(self.stack.bootstrap, topics, SystemClock(), partitions=PARTITIONS, login=login)
        yield topics
        await delete_topics(self.stack.bootstrap, topics, self.stack.login(ADMIN))

    async def trust(self, database: Any) -> None:
        """Let an archive trust the issuer."""
        await database["partners"].insert_many([dict(partner) for partner in self.partners])

    def signal(self, server: Server, number: signal.Signals) -> None:
        """Send a signal to a server that runs."""
        if server.pid is not None:
            os.kill(server.pid, number)

    def fill_disk(self, server: Server) -> None:
        """Let a server write to no file any more: each write fails, as on a full disk, from the first byte."""
        if server.pid is not None:
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    async def start(self) -> None:
        """Resume and start whatever does not run, and let links pass everything on."""
        for server in self.servers:
            self.signal(server, signal.SIGCONT)
        for link in self.links:
            link.flow()
            await link.accept()
        if self.broker.pid is None:
            await self.start_broker()
        if self.mongod.pid is None or self.stack.stack.issuer.pid is None:
            await self.stack.stack.up()

    async def start_broker(self) -> None:
        """Start the broker with one listener more, which tells clients to come over the link."""
        ports, trust = load_ports(self.stack.data), self.stack.stack.access.trust
        server, folder = self.broker, self.broker.folder
        file = broker.write_configuration(folder, ports=ports, trust=trust)
        with file.open("a") as properties:
            properties.writelines(_with_link(file.read_text(), listens=self.kafka.target, advertised=self.kafka.port))
        java, jars = self.programs.java, self.programs.jars
        await server.start(broker.broker_command(java=java, jars=jars, folder=folder, trust=trust))
        await server.wait_until(
            lambda: broker.broker_answers(self.kafka.target), state="answering", limit_s=READY_LIMIT_S
        )


def _with_link(text: str, *, listens: int, advertised: int) -> Iterator[str]:
    """Yield the properties that add a listener like the clients' own; a later line wins over an earlier one."""
    known = dict(line.split("=", 1) for line in text.splitlines())
    yield f"listeners={known['listeners']},{_LISTENER}://{HOST}:{listens}\n"
    yield f"advertised.listeners={known['advertised.listeners']},{_LISTENER}://{HOST}:{advertised}\n"
    yield f"listener.security.protocol.map={known['listener.security.protocol.map']},{_LISTENER}:SASL_PLAINTEXT\n"
    own = "listener.name.client."
    for key, value in known.items():
        if key.startswith(own):
            yield f"listener.name.{_LISTENER.lower()}.{key.removeprefix(own)}={value}\n"


@contextmanager
def _short_lives() -> Iterator[None]:
    before = os.environ.get(_LIFE)
    os.environ[_LIFE] = str(LIFE_S)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_LIFE]
        else:
            os.environ[_LIFE] = before


@asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[Ground]:
    """Run a stack with links in `folder` for as long as the block runs."""
    programs = find_programs(java_home=java_home(), cache=cache_folder())
    with _short_lives():
        async with local_stack(folder / "stack") as stack:
            ports = load_ports(stack.data)
            found = Ground(stack, *_links(ports.mongodb, ports.issuer), programs, [])
            await stack.stack.kafka.stop()
            await found.start()
            await stack.stack.up()  # waits until the broker takes requests
            admin = stack.login(ADMIN)
            await ensure_acls(stack.bootstrap, admin, [TEST_TOPICS], TEST_GROUPS, Pattern.PREFIXED)
            found.partners.extend(await _trusted(found, stack.data))
            try:
                yield found
            finally:
                for server in found.servers:
                    found.signal(server, signal.SIGCONT)  # else it hears nothing of its end
                for link in found.links:
                    await link.refuse()


def _links(mongodb: int, issuer: int) -> tuple[Link, Link, Link]:
    """Return links on ports of their own; the one to Kafka leads to a port that the broker has yet to listen on."""
    chosen: list[int] = []
    for number in range(4):
        chosen.append(settle_port(name=f"link {number}", wanted=0, kept=0, others=chosen))
    return Link(chosen[0], chosen[3]), Link(chosen[1], mongodb), Link(chosen[2], issuer)


async def _trusted(found: Ground, folder: Path) -> list[dict[str, Any]]:
    """Return the partner applications of an archive that trusts the issuer, as the program itself adds them."""
    program = found.program(Topics(), folder, 1)
    await asyncio.to_thread(program.trust_issuer)
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        partners = await client[program.database]["partners"].find().to_list(None)
        await client.drop_database(program.database)
    return partners
