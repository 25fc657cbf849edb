"""A server on loopback that gives everybody the same answer, byte for byte, and keeps what it was asked."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: `begin`, then `again` for as long as it is taken; unless it `ends`, the connection stays open."""

    begin: bytes
    again: bytes = b""
    ends: bool = True


class AnsweringServer:
    """Counts connections, and keeps the head of each request."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0
        self._connected: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, and answer."""
        task = asyncio.current_task()
        assert task is not None
        self._connected.add(task)
        self.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.answer.begin)
            await writer.drain()
            while self.answer.again:
                writer.write(self.answer.again)
                await writer.drain()
            if not self.answer.ends:
                await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def quiet(self) -> None:
        """Return once nobody is connected."""
        await asyncio.gather(*self._connected)


@asynccontextmanager
async def answering(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[AnsweringServer]:
    """Serve on a free port of 127.0.0.1."""
    server = AnsweringServer(answer)
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await server.quiet()
        await listening.wait_closed()


def http(body: bytes, status: str = "200 OK", content_type: str = "application/json", **headers: str) -> Answer:
    """Return a whole HTTP answer; underscores in names of headers stand for hyphens."""
    named = {"Content-Type": content_type, "Content-Length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(_head(status, named) + body)


def unbounded(begin: bytes = b"", again: bytes = b"", *, ends: bool = True, **headers: str) -> Answer:
    """Return an HTTP answer whose length is not told, or is told in `headers`."""
    named = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Answer(_head("200 OK", named) + begin, again, ends)


def _head(status: str, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()
