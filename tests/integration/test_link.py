"""The proxy of the fault tests does to connections what it says."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.stack.state import HOST, settle_port
from tests.support.link import Link, Way
from tests.support.waiting import await_until

LIMIT_S = 10.0


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    """A link to a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1024):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    link = Link(settle_port(name="link", wanted=0, kept=0), server.sockets[0].getsockname()[1])
    await link.accept()
    yield link
    await link.refuse()
    server.close()


async def _connected(link: Link) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(HOST, link.port)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    return reader, writer


async def test_cut_resets(link: Link) -> None:
    reader, writer = await _connected(link)
    link.cut()
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()
    _, writer = await _connected(link)
    writer.close()


@pytest.mark.parametrize("way", list(Way))
async def test_stalled_one_way_nothing_is_lost(link: Link, way: Way) -> None:
    reader, writer = await _connected(link)
    link.stall(way)
    writer.write(b"late")
    late = asyncio.ensure_future(reader.readexactly(4))
    done, _ = await asyncio.wait([late], timeout=0.1)
    assert not done
    link.flow()
    async with asyncio.timeout(LIMIT_S):
        assert await late == b"late"
    writer.close()


async def test_cut_after_bytes_lets_these_through(link: Link) -> None:
    reader, writer = await _connected(link)
    link.cut_after(3, Way.TO_CLIENT)
    writer.write(b"longer")
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(4)
    assert not link.pending
    writer.close()


async def test_refused_until_accepted(link: Link) -> None:
    _, writer = await _connected(link)
    await link.refuse()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, link.port)
    await await_until(lambda: not link.busy, LIMIT_S)
    writer.close()
    await link.accept()
    _, writer = await _connected(link)
    writer.close()
