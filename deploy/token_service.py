"""Running the issuer: its folder, its address, and TLS wherever it is not on loopback."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette

from consumers.tokens.metadata_address import is_loopback
from producers.tokens.clients import ClientRegister
from producers.tokens.issuing import TokenIssuer
from producers.tokens.keyring import Keyring
from producers.tokens.secret_file import read_secret
from producers.tokens.service import issuer_app
from schemas.clock import SystemClock
from schemas.errors import Misconfigured

STOP_LIMIT_S: Final = 5
"""How long requests under way may take when the issuer is told to stop."""


def serve(
    *, folder: Path, host: str, port: int, realm: str, life_s: int, certificate: Path | None, key: Path | None
) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises Misconfigured for a folder, an address or TLS files that cannot be used, the key's for its mode included.
    """
    if (certificate is None) != (key is None):
        raise Misconfigured("TLS needs both a certificate and its key")
    if certificate is None and not is_loopback(host):
        raise Misconfigured(f"an issuer on {host} needs TLS: set a certificate and its key")
    clock = SystemClock()
    keyring = Keyring(folder, realm, clock)
    keyring.keys()
    clients = ClientRegister(folder)
    clients.open()
    address = f"{'http' if certificate is None else 'https'}://{f'[{host}]' if ':' in host else host}:{port}"
    server = _server(issuer_app(TokenIssuer(keyring, realm, clock, life_s), clients, address), certificate, key)
    with _listening(host, port) as listener:
        structlog.get_logger().info("issuer started", action="issuer-started", address=address)
        server.run(sockets=[listener])


def _server(app: Starlette, certificate: Path | None, key: Path | None) -> uvicorn.Server:
    if key is not None:
        read_secret(key)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_graceful_shutdown=STOP_LIMIT_S,
    )
    try:
        config.load()
    except OSError as error:  # SSLError is one
        raise Misconfigured(f"{certificate} and {key} cannot be used for TLS: {error.strerror}") from error
    return _Server(config)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise Misconfigured(f"{host}:{port} cannot be listened on: {error.strerror}") from error
    with listener:
        yield listener


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop by a signal, and end well: uvicorn's own way is to be killed by the signal once it has stopped."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
