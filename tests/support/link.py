"""A TCP proxy of a test's own: a link to a server on loopback that is cut, stalled, slowed or refused while in use."""

import asyncio
import socket
import struct
from contextlib import suppress
from enum import StrEnum
from typing import Final

from deploy.stack.state import HOST
from schemas.clock import Clock, SystemClock

CHUNK_BYTES: Final = 64 * 1024
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing resets the connection (RST) rather than ending it (FIN)."""

_CLOCK: Final = SystemClock()


class Way(StrEnum):
    """One of the two directions of a connection."""

    TO_SERVER = "to the server"
    TO_CLIENT = "to the client"


class Link:
    """Listens on `port` and passes everything on to the server on loopback `target`, until it is told otherwise.

    `connections` counts all that were ever taken, `resets` those that were cut.
    """

    def __init__(self, port: int, target: int, clock: Clock = _CLOCK) -> None:
        self.port = port
        self.target = target
        self.connections = 0
        self.resets = 0
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._flowing = {way: asyncio.Event() for way in Way}
        self._delay_s = 0.0
        self._left: dict[Way, int] = {}
        self.flow()

    async def accept(self) -> None:
        """Take connections, for the first time or again."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self.port)

    async def refuse(self) -> None:
        """Cut every connection and take no more until `accept`: clients find nobody on the port."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.cut()

    def cut(self) -> None:
        """Reset every connection, at both ends."""
        for writer in list(self._open):
            _reset(writer)
        self.resets += len(self._open) // 2
        self._open.clear()

    def cut_after(self, count: int, way: Way) -> None:
        """Cut everything once `count` more bytes went this way, over whatever connections; those bytes still arrive."""
        self._left[way] = count

    @property
    def busy(self) -> bool:
        """Whether there is any connection."""
        return bool(self._open)

    @property
    def pending(self) -> bool:
        """Whether a cut by bytes has not happened yet."""
        return bool(self._left)

    def stall(self, way: Way) -> None:
        """Hold back everything that goes this way; the connections stay."""
        self._flowing[way].clear()

    def slow(self, delay_s: float) -> None:
        """Hold back each piece, either way, for so long."""
        self._delay_s = delay_s

    def flow(self) -> None:
        """Pass everything on, at once, and forget a cut by bytes."""
        self._delay_s = 0.0
        self._left.clear()
        for event in self._flowing.values():
            event.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            there, back = await asyncio.open_connection(HOST, self.target)
        except OSError:
            self._open.discard(writer)
            _reset(writer)
            return
        self._open.add(back)
        try:
            pumps = [
                asyncio.ensure_future(self._pump(reader, back, Way.TO_SERVER)),
                asyncio.ensure_future(self._pump(there, writer, Way.TO_CLIENT)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            for end in (writer, back):
                self._open.discard(end)
                end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        """Pass on until either end is gone."""
        with suppress(OSError):
            while piece := await reader.read(CHUNK_BYTES):
                if self._delay_s:
                    await self._clock.sleep(self._delay_s)
                await self._flowing[way].wait()
                left = self._left.get(way)
                writer.write(piece if left is None else piece[:left])
                if left is not None and len(piece) >= left:
                    await writer.drain()
                    self._left.clear()
                    self.cut()
                    return
                if left is not None:
                    self._left[way] = left - len(piece)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    taken: socket.socket | None = writer.get_extra_info("socket")
    with suppress(OSError):
        if taken is not None:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
