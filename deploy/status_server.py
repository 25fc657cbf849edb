"""`/metrics`, `/healthz` and `/readyz` of an archiver process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.errors import Misconfigured

Probe = Callable[[], dict[str, bool]]
"""What a state depends on, and whether each part of it holds."""


def status_app(
    registry: CollectorRegistry, sample: Callable[[], None], healthy: Probe, ready: Probe, more: Sequence[Route] = ()
) -> Starlette:
    """Return the application, with more pages where given; `sample` is called before the metrics are read."""

    async def metrics(_: Request) -> Response:
        sample()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def answer(probe: Probe) -> Callable[[Request], Response]:
        def respond(_: Request) -> Response:
            parts = probe()
            return JSONResponse(parts, status_code=200 if all(parts.values()) else 503)

        return respond

    return Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/healthz", answer(healthy)),
            Route("/readyz", answer(ready)),
            *more,
        ]
    )


@asynccontextmanager
async def serving(app: Starlette, host: str, port: int) -> AsyncIterator[str]:
    """Serve until the block is left, and give the address. Raises Misconfigured where the port cannot be had."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Misconfigured(f"{host}:{port} cannot be listened on: {error.strerror}") from error
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]), name="status server")
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the archiver's: it stops its lanes first."""
        yield
