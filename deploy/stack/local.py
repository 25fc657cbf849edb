"""Ways to have a local stack: one that outlives the command, and one that lives as long as an `async with`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import StackFailed
from deploy.kafka_login import tls_context
from deploy.settings import GROUP, REALM, Settings, cache_folder, java_home
from deploy.stack.process import Lifetime
from deploy.stack.programs import Programs, find_programs
from deploy.stack.stack import KafkaAccess, Stack, StackOptions
from deploy.stack.state import load_ports
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.login import KafkaLogin


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A stack that is up. `stack` is for those who stop or heal a server of it: fault tests."""

    bootstrap: str
    mongodb_uri: str
    issuer: str
    data: Path
    stack: Stack

    def login(self, client: str) -> KafkaLogin:
        """Return how a client logs in to Kafka."""
        return self.stack.access.login(client)


def lasting_stack(settings: Settings) -> Stack:
    """Return the stack that the settings describe; its servers outlive the command that starts them."""
    options = StackOptions(
        data=settings.stack.data,
        topics=topics_of(settings),
        group=settings.kafka.group,
        realm=settings.issuer.realm,
        kafka_port=settings.stack.kafka_port,
        mongodb_port=settings.stack.mongodb_port,
        issuer_port=settings.stack.issuer_port,
        keystore=settings.stack.kafka_keystore,
        tls=tls_context(settings),
        health_topic=settings.kafka.health_topic,
    )
    return Stack(options, find_programs=_programs, lifetime=Lifetime.DETACHED, clock=SystemClock())


@asynccontextmanager
async def local_stack(
    data: Path, topics: Topics | None = None, group: str = GROUP, access: KafkaAccess | None = None
) -> AsyncIterator[RunningStack]:
    """Run a stack in `data` for as long as the block runs, and wait until its servers are gone.

    They end with this process too, however it ends, SIGKILL included.

    Raises:
        StackFailed: it did not start, or a stack runs in `data` already.
        NotInstalled: a program is missing.
    """
    options = StackOptions(data, topics or Topics(), group=group, realm=REALM, access=access)
    stack = Stack(options, find_programs=_programs, lifetime=Lifetime.ATTACHED, clock=SystemClock())
    if stack.runs:
        raise StackFailed(f"a stack runs in {data} already; stop it with `lync-archiver stack down --data {data}`")
    try:
        await stack.up()
        ports = load_ports(data)
        yield RunningStack(ports.bootstrap, ports.mongodb_uri, ports.issuer_url, data=data, stack=stack)
    finally:
        await stack.down()


def topics_of(settings: Settings) -> Topics:
    """Return the names of the topics that the settings give."""
    kafka = settings.kafka
    return Topics(kafka.conversations_topic, kafka.conferences_topic, kafka.contacts_topic)


def _programs() -> Programs:
    return find_programs(java_home=java_home(), cache=cache_folder())
