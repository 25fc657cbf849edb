"""Running the issuer: its folder, its address, and TLS wherever it is not on loopback."""

import ipaddress
from pathlib import Path
from typing import Final

import structlog
import uvicorn

from producers.tokens.clients import ClientRegister
from producers.tokens.issuing import TokenIssuer
from producers.tokens.keyring import Keyring
from producers.tokens.service import issuer_app
from schemas.clock import SystemClock
from schemas.errors import Misconfigured

STOP_LIMIT_S: Final = 5
"""How long requests under way may take when the issuer is told to stop."""


def serve(
    *, folder: Path, host: str, port: int, realm: str, life_s: int, certificate: Path | None, key: Path | None
) -> None:
    """Serve until SIGTERM or SIGINT. Raises Misconfigured for a folder or an address that cannot be used."""
    if not is_loopback(host) and (certificate is None or key is None):
        raise Misconfigured(f"an issuer on {host} needs TLS: set a certificate and its key")
    clock = SystemClock()
    keyring = Keyring(folder, realm, clock)
    keyring.keys()
    clients = ClientRegister(folder)
    clients.open()
    scheme = "http" if certificate is None else "https"
    app = issuer_app(TokenIssuer(keyring, realm, clock, life_s), clients, f"{scheme}://{host}:{port}")
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_graceful_shutdown=STOP_LIMIT_S,
    )
    structlog.get_logger().info("issuer started", action="issuer-started", address=f"{scheme}://{host}:{port}")
    uvicorn.Server(config).run()


def is_loopback(host: str) -> bool:
    """Return whether nobody but this machine reaches the host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
