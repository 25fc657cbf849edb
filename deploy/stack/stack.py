"""The local stack as a whole: up, status and down, safe to repeat and to interrupt at any point."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from ssl import SSLContext
from typing import IO, Final

from deploy.errors import InvalidSettings, StackFailed
from deploy.stack import broker, database, issuer
from deploy.stack.acls import ensure_acls, ensure_health_acls
from deploy.stack.listeners import TokenTrust
from deploy.stack.process import Lifetime, Server
from deploy.stack.programs import Programs
from deploy.stack.state import Ports, Status, load_ports, read_status, save_ports, settle_port
from deploy.stack.topics import ensure_health_topic, ensure_topics
from deploy.token_client import IssuerClient, read_client_secret
from producers.tokens.clients import secret_file
from producers.tokens.service import JWKS_PATH
from producers.topics import Topics
from schemas.clock import Clock
from schemas.health import HEALTH_TOPIC
from schemas.login import ADMIN, KafkaLogin
from schemas.principals import LYNC, Principal

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
    """What a stack is made with; port 0 is a free one, chosen once and kept.

    `group` is the archiver's consumer group. With `keystore` Kafka's clients speak TLS; ours trust what `tls` does.
    With `access` Kafka takes another issuer's tokens, and none is run here.
    """

    data: Path
    topics: Topics
    group: str
    realm: str
    kafka_port: int = 0
    mongodb_port: int = 0
    issuer_port: int = 0
    keystore: Path | None = None
    tls: SSLContext | None = None
    access: KafkaAccess | None = None
    health_topic: str = HEALTH_TOPIC


class Stack:
    """One Kafka, one mongod and one token issuer whose every file is under `options.data`."""

    def __init__(
        self, options: StackOptions, *, find_programs: Callable[[], Programs], lifetime: Lifetime, clock: Clock
    ) -> None:
        self._options = options
        self._find_programs = find_programs
        self._clock = clock
        self.data = options.data
        self.kafka = Server(name="Kafka", folder=self.data / "kafka", lifetime=lifetime, clock=clock)
        self.mongodb = Server(name="mongod", folder=self.data / "mongodb", lifetime=lifetime, clock=clock)
        self.issuer = Server(name="the token issuer", folder=self.data / "issuer", lifetime=lifetime, clock=clock)
        self._servers = (
            (self.kafka, self.mongodb, self.issuer) if options.access is None else (self.kafka, self.mongodb)
        )

    @property
    def runs(self) -> bool:
        """Whether any of its servers does."""
        return any(server.pid is not None for server in self._servers)

    @property
    def access(self) -> KafkaAccess:
        """Whose tokens Kafka takes, once the stack is up: its own issuer's, unless another was given."""
        if self._options.access is not None:
            return self._options.access
        ports, folder = load_ports(self.data), self.issuer.folder
        options = self._options
        issuer_name = str(Principal(LYNC, options.realm))
        trust = TokenTrust(f"{ports.issuer_url}{JWKS_PATH}", issuer_name, keystore=options.keystore)

        def login(client: str) -> KafkaLogin:
            secret = read_client_secret(secret_file(folder, client))
            return KafkaLogin(client, IssuerClient(ports.issuer_url, client, secret, self._clock), options.tls)

        return KafkaAccess(trust, login, options.group)

    def status(self) -> Status:
        """Say what runs now."""
        return read_status(self.data)

    async def up(self) -> UpOutcome:
        """Start what does not run, on the ports it had, and wait until all servers and the topics are ready.

        Raises:
            NotInstalled: a program is missing; `python -m deploy.stack.download` gets them.
            InvalidSettings: a port that was set is taken.
            StackFailed: a server did not get ready; what did stays up, so that another try heals the rest.
        """
        async with self._locked():
            running = [server for server in self._servers if server.pid is not None]
            ports = self._settle_ports()
            needed = {self.kafka, self.mongodb}.difference(running)
            programs = self._find_programs() if needed else None
            await self._issuer_up(ports)  # first: Kafka fetches its keys when it starts
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._kafka_up(programs, ports))
                    group.create_task(self._mongodb_up(programs, ports))
            except BaseExceptionGroup as failures:
                raise failures.exceptions[0] from failures
            if not running:
                return UpOutcome.STARTED
            return UpOutcome.HEALED if len(running) < len(self._servers) else UpOutcome.ALREADY_UP

    async def down(self) -> bool:
        """Stop all servers and wait until they are gone; the data stays. Return whether anything ran.

        Raises:
            StackFailed: a server is still there after SIGKILL.
        """
        if not self.data.is_dir():
            return False
        async with self._locked():
            return any(await asyncio.gather(*(server.stop() for server in self._servers)))

    def _settle_ports(self) -> Ports:
        kept, options = load_ports(self.data), self._options
        wanted = {
            "kafka": (self.kafka, options.kafka_port),
            "controller": (self.kafka, 0),
            "internal": (self.kafka, 0),
            "mongodb": (self.mongodb, options.mongodb_port),
            "issuer": (self.issuer, options.issuer_port),
        }
        settled: dict[str, int] = {}
        for name, (server, port) in wanted.items():
            before = getattr(kept, name)
            if server.pid is None:
                others = settled.values()
                settled[name] = settle_port(name=f"{server.name} ({name})", wanted=port, kept=before, others=others)
            else:
                settled[name] = before
        ports = Ports(**settled)
        if ports != kept:
            save_ports(self.data, ports)
        return ports

    async def _issuer_up(self, ports: Ports) -> None:
        server = self.issuer
        if server not in self._servers:
            return
        if server.pid is None:
            await server.start(
                issuer.issuer_command(folder=server.folder.absolute(), port=ports.issuer, realm=self._options.realm)
            )
        await server.wait_until(lambda: issuer.issuer_answers(ports.issuer), state="answering", limit_s=READY_LIMIT_S)

    async def _kafka_up(self, programs: Programs | None, ports: Ports) -> None:
        server, access = self.kafka, self.access
        trust = access.trust
        if server.pid is None and programs is not None:
            java, jars, folder = programs.java, programs.jars, server.folder
            broker.write_configuration(folder, ports=ports, trust=trust)
            await asyncio.to_thread(broker.format_storage, java=java, jars=jars, folder=folder)
            await server.start(broker.broker_command(java=java, jars=jars, folder=folder, trust=trust))
        # Asked where it never speaks TLS; making the topics waits for the clients' own listener.
        await server.wait_until(lambda: broker.broker_answers(ports.internal), state="answering", limit_s=READY_LIMIT_S)
        topics, admin = self._options.topics, access.login(ADMIN)
        await ensure_topics(ports.bootstrap, topics, self._clock, login=admin)
        await ensure_acls(ports.bootstrap, admin, topics.names, access.group)
        await ensure_health_topic(ports.bootstrap, self._options.health_topic, self._clock, admin)
        await ensure_health_acls(ports.bootstrap, admin, self._options.health_topic)

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
