"""The Kafka node: its configuration, its storage, how it is run, and whether it answers."""

import asyncio
import base64
import shutil
import struct
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy.errors import StackFailed
from deploy.stack.listeners import TokenTrust, java_options, listener_properties
from deploy.stack.state import HOST, Ports

RECORD_BATCH_BYTES_MAX: Final = 8 * 1024 * 1024
"""Room for a compressed batch of records, each within the contract's own limit."""

FORMAT_LIMIT_S: Final = 60.0
_ANSWER_LIMIT_S: Final = 2.0
_API_VERSIONS: Final = 18

# A token that is refused is repeated whole, though it may be good elsewhere: it is kept out of the log. What a stranger
# causes is told in one line, without the trace that the broker adds, which would let anybody fill the disk.
_LOGGING: Final = """\
status = warn
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %replace{[%d] %p %m (%c)%n%ex}{eyJ[A-Za-z0-9_.-]+}{<token>}
appender.console.layout.alwaysWriteExceptions = false
appender.refused.type = Console
appender.refused.name = refused
appender.refused.layout.type = PatternLayout
appender.refused.layout.pattern = %replace{[%d] %p %m (%c)}{eyJ[A-Za-z0-9_.-]+}{<token>}%n
appender.refused.layout.alwaysWriteExceptions = false
logger.refused.name = org.apache.kafka.common.security.oauthbearer
logger.refused.level = warn
logger.refused.additivity = false
logger.refused.appenderRef.refused.ref = refused
logger.stranger.name = org.apache.kafka.common.network.Selector
logger.stranger.level = warn
logger.stranger.additivity = false
logger.stranger.appenderRef.refused.ref = refused
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


def broker_properties(*, storage: Path, ports: Ports, trust: TokenTrust | None) -> dict[str, str]:
    """Return the whole configuration of the one node, which is broker and controller; it holds a password."""
    limit = str(RECORD_BATCH_BYTES_MAX)
    return listener_properties(ports, trust) | {
        "process.roles": "broker,controller",
        "node.id": "1",
        "log.dirs": str(storage),
        # Topics have a fixed number of partitions, so a misspelt name must fail rather than make a topic.
        "auto.create.topics.enable": "false",
        "delete.topic.enable": "true",
        "message.max.bytes": limit,
        "replica.fetch.max.bytes": limit,
        # One node holds the only copy of everything.
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # The defaults, 50 each, are for large clusters and cost seconds of start on a small machine.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        # A node that was killed may register again only when its old session is over.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",
    }


def write_configuration(folder: Path, *, ports: Ports, trust: TokenTrust | None) -> Path:
    """Write the node's configuration into `folder`, readable by its owner alone, and return the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log4j2.properties").write_text(_LOGGING)
    properties = broker_properties(storage=folder.absolute() / "storage", ports=ports, trust=trust)
    return _write_properties(folder / "server.properties", properties)


def _write_properties(path: Path, properties: Mapping[str, str]) -> Path:
    # Java reads a backslash as an escape; no other character of a value needs care.
    lines = (f"{key}={value.replace(chr(92), chr(92) * 2)}\n" for key, value in properties.items())
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600, exist_ok=False)  # before there is a password in it
    part.write_text("".join(lines))
    part.replace(path)
    return path


def broker_command(*, java: Path, jars: Sequence[Path], folder: Path, trust: TokenTrust | None) -> list[str]:
    """Return the command that runs the node configured in `folder`."""
    return [
        *_java_command(java, jars, folder),
        *java_options(trust),
        "-Xms128m",
        "-Xmx512m",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:-HeapDumpOnOutOfMemoryError",
        "-XX:+ExitOnOutOfMemoryError",
        "kafka.Kafka",
        str(folder / "server.properties"),
    ]


def _java_command(java: Path, jars: Sequence[Path], folder: Path) -> list[str]:
    return [
        str(java),
        "-cp",
        ":".join(str(jar) for jar in jars),
        f"-Dlog4j2.configurationFile={(folder / 'log4j2.properties').absolute().as_uri()}",
        "-Djava.awt.headless=true",
        "--enable-native-access=ALL-UNNAMED",  # zstd and snappy are native; Java 24 warns without
    ]


def format_storage(*, java: Path, jars: Sequence[Path], folder: Path) -> None:
    """Format the node's storage unless that was done; blocks for about a second.

    It is formatted aside and moved into place whole, so a storage folder that exists is a complete one.

    Raises:
        StackFailed: Kafka's own tool failed.
    """
    storage, aside = folder.absolute() / "storage", folder.absolute() / "formatting"
    if storage.exists():
        return
    if aside.exists():
        shutil.rmtree(aside)  # left by a format that was killed
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    properties = broker_properties(storage=aside, ports=Ports(kafka=9092, internal=9093, controller=9094), trust=None)
    file = _write_properties(folder / "format.properties", properties)
    tool = ["-Xmx128m", "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format"]
    command = [*_java_command(java, jars, folder), *tool, f"--cluster-id={cluster}", "--config", str(file)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=FORMAT_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as exc:
        raise StackFailed(f"Kafka's storage was not formatted within {FORMAT_LIMIT_S:.0f} s") from exc
    if answer.returncode != 0:
        lines = (answer.stderr or answer.stdout).strip().splitlines()
        raise StackFailed(f"Kafka's storage in {folder} could not be formatted: {lines[-1] if lines else 'no reason'}")
    aside.rename(storage)


async def broker_answers(port: int) -> bool:
    """Say whether a Kafka broker answers on loopback `port`.

    It is asked for its API versions, the one request that needs no credentials on any listener.
    """
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(_ANSWER_LIMIT_S):
            return await _ask_api_versions(port)
    return False


async def _ask_api_versions(port: int) -> bool:
    correlation = 1
    request = struct.pack(">hhih", _API_VERSIONS, 0, correlation, -1)
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(struct.pack(">i", len(request)) + request)
        await writer.drain()
        _size, answered, error = struct.unpack(">iih", await reader.readexactly(10))
        return bool(answered == correlation and error == 0)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
