"""What is known of a stack between commands: its ports, kept in `<data>/stack.json`. Reading it is cheap."""

import json
import secrets
import socket
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from deploy.errors import InvalidSettings
from deploy.stack.pids import read_pid

HOST: Final = "127.0.0.1"
REPLICA_SET: Final = "rs0"
STATE_FILE: Final = "stack.json"

# Below the range that Linux and macOS give to outgoing connections, so that a port is still free after a restart.
_PORTS: Final = range(20_000, 32_000)
_PORT_TRIES: Final = 200
_CONNECT_LIMIT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of a stack; 0 is one not chosen yet."""

    kafka: int = 0
    controller: int = 0
    mongodb: int = 0
    internal: int = 0
    issuer: int = 0

    @property
    def bootstrap(self) -> str:
        """Where Kafka's clients start."""
        return f"{HOST}:{self.kafka}"

    @property
    def mongodb_uri(self) -> str:
        """What MongoDB's clients are given."""
        return f"mongodb://{HOST}:{self.mongodb}/?replicaSet={REPLICA_SET}"

    @property
    def issuer_url(self) -> str:
        """Where tokens, keys and the metadata document are."""
        return f"http://{HOST}:{self.issuer}"


@dataclass(frozen=True, slots=True)
class Status:
    """What runs now: an address is given while its server runs and takes connections."""

    kafka: str | None
    mongodb: str | None
    issuer: str | None
    data: Path

    @property
    def running(self) -> bool:
        return None not in {self.kafka, self.mongodb, self.issuer}


def load_ports(data: Path) -> Ports:
    """Return the ports of the last start; those of a file that is missing or damaged are 0."""
    try:
        record = json.loads((data / STATE_FILE).read_text())["ports"]
        return Ports(**{field.name: int(record.get(field.name, 0)) for field in fields(Ports)})
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return Ports()


def save_ports(data: Path, ports: Ports) -> None:
    """Keep the ports for the next start; a reader sees the whole file or the one before."""
    part = data / f"{STATE_FILE}.part"
    part.write_text(json.dumps({"ports": asdict(ports)}) + "\n")
    part.replace(data / STATE_FILE)


def settle_port(*, name: str, wanted: int, kept: int, others: Collection[int] = ()) -> int:
    """Choose the port of a server that does not run: the one set, else the one it had if still free, else a free one.

    `others` are ports that this stack has chosen already but that nothing listens on yet.

    Raises:
        InvalidSettings: the port that was set is taken by another program.
    """
    if wanted:
        if not is_free(wanted):
            raise InvalidSettings(f"port {wanted} set for {name} is taken by another program")
        return wanted
    if kept and kept not in others and is_free(kept):
        return kept
    for _ in range(_PORT_TRIES):
        port = _PORTS[secrets.randbelow(len(_PORTS))]
        if port not in others and is_free(port):
            return port
    raise InvalidSettings(f"no free port for {name} between {_PORTS.start} and {_PORTS.stop}")


def is_free(port: int) -> bool:
    """Say whether a server could listen on loopback `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: ignores ended connections
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def read_status(data: Path) -> Status:
    """Say which servers of the stack in `data` run and take connections."""
    ports = load_ports(data)
    return Status(
        kafka=ports.bootstrap if _runs(data / "kafka", ports.kafka) else None,
        mongodb=ports.mongodb_uri if _runs(data / "mongodb", ports.mongodb) else None,
        issuer=ports.issuer_url if _runs(data / "issuer", ports.issuer) else None,
        data=data,
    )


def _runs(folder: Path, port: int) -> bool:
    if not port or read_pid(folder / "pid") is None:
        return False
    try:
        with socket.create_connection((HOST, port), _CONNECT_LIMIT_S):
            return True
    except OSError:
        return False
