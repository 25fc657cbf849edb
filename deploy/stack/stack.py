"""The local stack as a whole: up, status and down, safe to repeat and to interrupt at any point."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import IO, Final

from deploy.errors import InvalidSettings, StackFailed
from deploy.stack import broker, database
from deploy.stack.acls import ensure_acls
from deploy.stack.listeners import TokenTrust
from deploy.stack.process import Lifetime, Server
from deploy.stack.programs import Programs
from deploy.stack.state import Ports, Status, load_ports, read_status, save_ports, settle_port
from deploy.stack.topics import ensure_topics
from producers.topics import Topics
from schemas.clock import Clock
from schemas.login import ADMIN, KafkaLogin

READY_LIMIT_S: Final = 90.0
"""From a server's start to its first answer: 2 s mostly, more after a crash with much to recover."""

LOCK_LIMIT_S: Final = 150.0
"""How long to wait for another command at work on the same stack: a slow start and a slow stop."""

_POLL_S: Final = 0.1


class UpOutcome(Enum):
    """What `Stack.up` found and did."""

    ALREADY_UP = auto()
    STARTED = auto()
    HEALED = auto()


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """Whose tokens Kafka takes, how each client of ours logs in, and the consumer group that the archiver is to use."""

    trust: TokenTrust
    login: Callable[[str], KafkaLogin]
    group: str


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What a stack is made with; port 0 is a free one, chosen once and kept. Without `access` Kafka is open to all."""

    data: Path
    topics: Topics
    kafka_port: int = 0
    mongodb_port: int = 0
    access: KafkaAccess | None = None


class Stack:
    """One Kafka and one mongod whose every file is under `options.data`."""

    def __init__(
        self, options: StackOptions, *, find_programs: Callable[[], Programs], lifetime: Lifetime, clock: Clock
    ) -> None:
        self._options = options
        self._find_programs = find_programs
        self._clock = clock
        self.data = options.data
        self.kafka = Server(name="Kafka", folder=self.data / "kafka", lifetime=lifetime, clock=clock)
        self.mongodb = Server(name="mongod", folder=self.data / "mongodb", lifetime=lifetime, clock=clock)

    def status(self) -> Status:
        """Say what runs now."""
        return read_status(self.data)

    async def up(self) -> UpOutcome:
        """Start what does not run, on the ports it had, and wait until both servers and the topics are ready.

        Raises:
            NotInstalled: a program is missing; `python -m deploy.stack.download` gets them.
            InvalidSettings: a port that was set is taken.
            StackFailed: a server did not get ready; what did stays up, so that another try heals the rest.
        """
        async with self._locked():
            running = [server for server in (self.kafka, self.mongodb) if server.pid is not None]
            ports = self._settle_ports()
            programs = self._find_programs() if len(running) < 2 else None
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._kafka_up(programs, ports))
                    group.create_task(self._mongodb_up(programs, ports))
            except BaseExceptionGroup as failures:
                raise failures.exceptions[0] from failures
            match len(running):
                case 0:
                    return UpOutcome.STARTED
                case 1:
                    return UpOutcome.HEALED
                case _:
                    return UpOutcome.ALREADY_UP

    async def down(self) -> bool:
        """Stop both servers and wait until they are gone; the data stays. Return whether anything ran.

        Raises:
            StackFailed: a server is still there after SIGKILL.
        """
        if not self.data.is_dir():
            return False
        async with self._locked():
            return any(await asyncio.gather(self.kafka.stop(), self.mongodb.stop()))

    def _settle_ports(self) -> Ports:
        kept, options = load_ports(self.data), self._options
        kafka, controller, internal, mongodb = kept.kafka, kept.controller, kept.internal, kept.mongodb
        if self.kafka.pid is None:
            kafka = settle_port(name="Kafka", wanted=options.kafka_port, kept=kept.kafka)
            controller = settle_port(name="Kafka's controller", wanted=0, kept=kept.controller, others=(kafka,))
            internal = settle_port(
                name="Kafka's own listener", wanted=0, kept=kept.internal, others=(kafka, controller)
            )
        if self.mongodb.pid is None:
            mongodb = settle_port(
                name="mongod", wanted=options.mongodb_port, kept=kept.mongodb, others=(kafka, controller, internal)
            )
        ports = Ports(kafka, controller, mongodb, internal)
        if ports != kept:
            save_ports(self.data, ports)
        return ports

    async def _kafka_up(self, programs: Programs | None, ports: Ports) -> None:
        server, access = self.kafka, self._options.access
        trust = access.trust if access is not None else None
        if server.pid is None and programs is not None:
            java, jars, folder = programs.java, programs.jars, server.folder
            broker.write_configuration(folder, ports=ports, trust=trust)
            await asyncio.to_thread(broker.format_storage, java=java, jars=jars, folder=folder)
            await server.start(broker.broker_command(java=java, jars=jars, folder=folder, trust=trust))
        # Asked where it never speaks TLS; making the topics waits for the clients' own listener.
        await server.wait_until(lambda: broker.broker_answers(ports.internal), state="answering", limit_s=READY_LIMIT_S)
        topics, login = self._options.topics, access.login(ADMIN) if access is not None else None
        await ensure_topics(ports.bootstrap, topics, self._clock, login=login)
        if access is not None and login is not None:
            await ensure_acls(ports.bootstrap, login, topics.names, access.group)

    async def _mongodb_up(self, programs: Programs | None, ports: Ports) -> None:
        server = self.mongodb
        if server.pid is None and programs is not None:
            database.prepare_storage(server.folder)
            await server.start(
                database.mongod_command(mongod=programs.mongod, folder=server.folder, port=ports.mongodb)
            )
        await server.wait_until(
            lambda: database.becomes_primary(ports.mongodb), state="taking writes", limit_s=READY_LIMIT_S
        )

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        """Keep other commands on this stack out; the lock ends with the process that holds it, however it ends."""
        limit = self._clock.monotonic() + LOCK_LIMIT_S
        with _open_lock(self.data) as lock:
            while not _try_lock(lock):
                if self._clock.monotonic() > limit:
                    raise StackFailed(f"another command has been at work on the stack in {self.data} for too long")
                await self._clock.sleep(_POLL_S)
            yield


def _open_lock(data: Path) -> IO[bytes]:
    try:
        data.mkdir(parents=True, exist_ok=True)
        return (data / "stack.lock").open("ab")
    except OSError as exc:
        raise InvalidSettings(f"the stack's data cannot be kept in {data}: {exc.strerror}") from exc


def _try_lock(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
