"""Who may talk to the Kafka node, on which port, and how each proves who it is. No port takes an anonymous client.

CLIENT takes tokens of one issuer, by SASL/OAUTHBEARER (KIP-768). INTERNAL, from broker to broker, and CONTROLLER take
a password that only the node's own configuration holds.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.stack.state import HOST, Ports
from schemas.login import ADMIN, KAFKA_AUDIENCE

SESSION_LIMIT_S: Final = 3600.0
"""After so long a client logs in again, even where its token lives longer (KIP-368)."""

CLOCK_SKEW_S: Final = 5
"""How far the issuer's clock may be from the broker's: both are on one machine."""

KEYS_REFRESH_S: Final = 10.0
"""How often the issuer's keys are fetched; far less than the lead that a new key is published with."""

_NODE: Final = "lync-broker"
_OAUTH: Final = "org.apache.kafka.common.security.oauthbearer"
_PLAIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule"


@dataclass(frozen=True, slots=True)
class TokenTrust:
    """Whose tokens the broker takes: `issuer` is their `iss`, `jwks_url` has the keys that they are signed with.

    `jwks_url` is http, https or file. With `keystore`, a PEM file of a private key and its certificates, the client
    listener speaks TLS.
    """

    jwks_url: str
    issuer: str
    audience: str = KAFKA_AUDIENCE
    session_limit_s: float = SESSION_LIMIT_S
    keystore: Path | None = None


def listener_properties(ports: Ports, trust: TokenTrust | None) -> dict[str, str]:
    """Return what the node is told of its listeners, with a new password of its own each time.

    Without `trust` the client listener is open to all, for a stack that has no issuer.
    """
    password = secrets.token_urlsafe(32)
    client = "PLAINTEXT"
    if trust is not None:
        client = "SASL_PLAINTEXT" if trust.keystore is None else "SASL_SSL"
    plain = f'{_PLAIN} required username="{_NODE}" password="{password}" user_{_NODE}="{password}";'
    common = {
        "controller.quorum.voters": f"1@{HOST}:{ports.controller}",
        "listeners": f"CLIENT://{HOST}:{ports.kafka},INTERNAL://{HOST}:{ports.internal},"
        f"CONTROLLER://{HOST}:{ports.controller}",
        "advertised.listeners": f"CLIENT://{HOST}:{ports.kafka},INTERNAL://{HOST}:{ports.internal}",
        "listener.security.protocol.map": f"CLIENT:{client},INTERNAL:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "inter.broker.listener.name": "INTERNAL",
        "controller.listener.names": "CONTROLLER",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.internal.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.internal.plain.sasl.jaas.config": plain,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": plain,
    }
    return common | (_token_properties(trust) if trust is not None else {})


def _token_properties(trust: TokenTrust) -> dict[str, str]:
    oauth = {
        "sasl.server.callback.handler.class": f"{_OAUTH}.OAuthBearerValidatorCallbackHandler",
        "sasl.jaas.config": f"{_OAUTH}.OAuthBearerLoginModule required;",
        "sasl.oauthbearer.jwks.endpoint.url": trust.jwks_url,
        "sasl.oauthbearer.jwks.endpoint.refresh.ms": str(int(KEYS_REFRESH_S * 1000)),
        "sasl.oauthbearer.expected.audience": trust.audience,
        "sasl.oauthbearer.expected.issuer": trust.issuer,
        "sasl.oauthbearer.sub.claim.name": "nameid",
        "sasl.oauthbearer.clock.skew.seconds": str(CLOCK_SKEW_S),
        "connections.max.reauth.ms": str(int(trust.session_limit_s * 1000)),
    }
    properties = {f"listener.name.client.oauthbearer.{name}": value for name, value in oauth.items()}
    properties |= {
        "listener.name.client.sasl.enabled.mechanisms": "OAUTHBEARER",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{_NODE};User:{ADMIN}",
    }
    if trust.keystore is not None:
        properties["listener.name.client.ssl.keystore.type"] = "PEM"
        properties["listener.name.client.ssl.keystore.location"] = str(trust.keystore.absolute())
    return properties


def java_options(trust: TokenTrust | None) -> list[str]:
    """Return what Java itself must be told: Kafka fetches keys from no address but those named here."""
    return [] if trust is None else [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={trust.jwks_url}"]
