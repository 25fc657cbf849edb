"""Which login each command uses for Kafka: the one place to change where tokens come from."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.settings import Settings
from schemas.login import KafkaLogin


@asynccontextmanager
async def kafka_login(settings: Settings, client: str) -> AsyncIterator[KafkaLogin | None]:
    """Provide a client's login for as long as the block runs; None where the settings name no issuer of tokens."""
    del settings, client  # no setting names an issuer
    yield None
