"""The token issuer of the local stack: how it is run, what Kafka is told of it, and whether it answers."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy.stack.state import HOST

_ANSWER_LIMIT_S: Final = 2.0
_REQUEST: Final = b"GET /healthz HTTP/1.0\r\n\r\n"
_GOOD: Final = b"HTTP/1.1 200 "


def issuer_command(*, folder: Path, port: int, realm: str) -> list[str]:
    """Return the command that runs the issuer whose keys and clients are in `folder`."""
    serve = ["issuer", "serve", "--folder", str(folder), "--host", HOST, "--port", str(port), "--realm", realm]
    return [sys.executable, "-P", "-m", "deploy", *serve]  # -P: nothing from the working folder


async def issuer_answers(port: int) -> bool:
    """Say whether an issuer with its keys answers on loopback `port`."""
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(_ANSWER_LIMIT_S):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(_REQUEST)
                await writer.drain()
                return await reader.readexactly(len(_GOOD)) == _GOOD
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    return False
