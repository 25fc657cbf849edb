"""How a client proves to Kafka who it is: by a token for Kafka's audience, asked for anew for every connection.

SASL/OAUTHBEARER is RFC 7628 as Kafka has it (KIP-255, KIP-768); the broker takes the principal from `nameid`.
"""

from ssl import SSLContext
from typing import Final, NamedTuple, Protocol

KAFKA_AUDIENCE: Final = "kafka"
"""What a token for Kafka is for, whichever its broker."""

PRODUCER: Final = "lync-producer"
"""The client that writes events."""

ARCHIVER: Final = "lync-archiver"
"""The client that reads events, to archive or to record them."""

ADMIN: Final = "lync-admin"
"""The client that makes topics and says who may use them."""


class TokenSource(Protocol):
    """Where tokens come from; one client's."""

    async def token(self, audience: str) -> str:
        """Return a token for `audience` that lives; called for each connection, so keeping it is the source's affair.

        Raises:
            DependencyUnavailable: no living token can be had at the moment.
            Misconfigured: the issuer refuses this client.
        """


class KafkaLogin(NamedTuple):
    """Who logs in to Kafka, with whose tokens, and over TLS where a context is given."""

    client: str
    tokens: TokenSource
    tls: SSLContext | None = None
    audience: str = KAFKA_AUDIENCE
