"""Which tokens each process of ours uses: one client of the issuer's, for Kafka and for Exchange."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.settings import Settings, issuer_folder, issuer_url
from deploy.token_client import IssuerClient, read_client_secret
from producers.tokens.clients import secret_file
from schemas.clock import SystemClock
from schemas.errors import Misconfigured
from schemas.login import KafkaLogin


@asynccontextmanager
async def issuer_client(settings: Settings, client: str) -> AsyncIterator[IssuerClient]:
    """Provide a client's tokens for as long as the block runs. Raises Misconfigured where its secret is not there."""
    secret = read_client_secret(secret_file(issuer_folder(settings), client))
    tokens = IssuerClient(issuer_url(settings), client, secret, SystemClock())
    try:
        yield tokens
    finally:
        await tokens.close()


@asynccontextmanager
async def kafka_login(settings: Settings, client: str) -> AsyncIterator[KafkaLogin]:
    """Provide a client's login to Kafka for as long as the block runs."""
    async with issuer_client(settings, client) as tokens:
        yield KafkaLogin(client, tokens, tls_context(settings))


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return what Kafka's clients trust, or None where they speak without TLS. Raises Misconfigured."""
    if not settings.kafka.tls:
        return None
    context = ssl.create_default_context()
    if settings.kafka.tls_ca is not None:
        try:
            context.load_verify_locations(settings.kafka.tls_ca)
        except OSError as error:  # ssl.SSLError is one
            raise Misconfigured(f"kafka.tls_ca {settings.kafka.tls_ca} cannot be read") from error
    return context
