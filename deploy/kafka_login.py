"""Which tokens each process of ours uses: one client of the issuer's, for Kafka and for Exchange."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.settings import Settings, issuer_folder, issuer_url
from deploy.token_client import IssuerClient, read_client_secret
from producers.tokens.clients import secret_file
from schemas.clock import SystemClock
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
        yield KafkaLogin(client, tokens)
