"""Logging in to Kafka with tokens: what the client is told, and a look at what the broker says to the token.

The client takes a refused token for an accepted one and then connects again and again without a word, since the
broker refuses in its answer's content first (RFC 7628, section 3.2.3) and by an error only after one more round.
"""

import asyncio
import json
from typing import Any, Final

from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code
from aiokafka.protocol.admin import SaslAuthenticateRequest, SaslHandShakeRequest

from schemas.clock import Clock, SystemClock
from schemas.errors import DependencyUnavailable, LyncArchiverError, Misconfigured
from schemas.login import KafkaLogin

ANSWER_LIMIT_S: Final = 10.0
"""How long one broker may take to say what it thinks of a token."""

RETRY_S: Final = 1.0
"""The pause after a refusal, which the client itself does not make."""

_CLOCK: Final = SystemClock()
_MECHANISM: Final = "OAUTHBEARER"
_SEPARATOR: Final = "\x01"
_REASON_CHARS_MAX: Final = 200


class LoginRefused(Misconfigured):
    """The broker refuses the client's token, or this way to log in."""


class TokenProvider(AbstractTokenProvider):
    """Gives the client a token for each connection, once the broker has accepted that very token.

    Given a refused one, the client would be cut off and connect again without end, and nobody would learn why.
    `trouble` is why there is no token at the moment; the client goes on trying meanwhile.
    """

    def __init__(self, bootstrap: str, login: KafkaLogin, clock: Clock = _CLOCK) -> None:
        self._bootstrap = bootstrap
        self._login = login
        self._clock = clock
        self.trouble: LyncArchiverError | None = None

    async def token(self) -> str:
        try:
            token = await check_login(self._bootstrap, self._login)
        except LyncArchiverError as error:
            self.trouble = error
            await self._clock.sleep(RETRY_S)
            raise KafkaConnectionError(f"no token: {error}") from error  # the client survives its own errors only
        self.trouble = None
        return token

    def raise_trouble(self) -> None:
        """Raise DependencyUnavailable where there is no token: for a client that was logged in, it may pass."""
        if self.trouble is not None:
            raise DependencyUnavailable(str(self.trouble)) from self.trouble


def login_options(login: KafkaLogin | None, provider: AbstractTokenProvider | None) -> dict[str, Any]:
    """Return the client's options for this login; without one, none are needed."""
    if login is None or provider is None:
        return {}
    return {
        "security_protocol": "SASL_PLAINTEXT" if login.tls is None else "SASL_SSL",
        "ssl_context": login.tls,
        "sasl_mechanism": _MECHANISM,
        "sasl_oauth_token_provider": provider,
    }


async def check_login(bootstrap: str, login: KafkaLogin) -> str:
    """Log in once, leave, and return the token that the broker accepted.

    Raises:
        LoginRefused: the broker refuses the token, by the broker's own words.
        DependencyUnavailable: no broker answers, or there is no token at the moment.
    """
    token = await login.tokens.token(login.audience)
    for host, port, _ in collect_hosts(bootstrap, randomize=False):
        protocol = "PLAINTEXT" if login.tls is None else "SSL"  # without SASL: that part is ours here
        connection = AIOKafkaConnection(host, port, security_protocol=protocol, ssl_context=login.tls)
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                await connection.connect()
                refusal = await _refusal(connection, token)
        except (KafkaError, OSError):  # a TimeoutError is an OSError
            continue
        finally:
            connection.close()
        if refusal is not None:
            login.tokens.discard(login.audience)  # else the same one is tried until it would be renewed
            raise LoginRefused(f"Kafka at {host}:{port} refused the token of {login.client}: {refusal}")
        return token
    raise DependencyUnavailable(f"Kafka at {bootstrap} does not answer to a login")


async def _refusal(connection: AIOKafkaConnection, token: str) -> str | None:
    """Return the broker's reason, or None where the token is accepted."""
    handshake: Any = await connection.send(SaslHandShakeRequest(_MECHANISM))
    if handshake.error_code:
        return f"it does not take {_MECHANISM} ({for_code(handshake.error_code).__name__})"
    first = f"n,,{_SEPARATOR}auth=Bearer {token}{_SEPARATOR}{_SEPARATOR}"
    answer: Any = await connection.send(SaslAuthenticateRequest(first.encode()))
    if answer.error_code:
        return str(answer.error_message or for_code(answer.error_code).__name__)[:_REASON_CHARS_MAX]
    return _status(answer.sasl_auth_bytes) if answer.sasl_auth_bytes else None


def _status(content: bytes) -> str:
    """Return the status that a refusal's content names (RFC 7628, section 3.2.2)."""
    try:
        status = json.loads(content)["status"]
    except (ValueError, KeyError, TypeError):
        status = "no reason given"
    return f"{str(status)[:_REASON_CHARS_MAX]}; the broker's log says why"
