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

from schemas.errors import DependencyUnavailable, LyncArchiverError, Misconfigured
from schemas.login import KafkaLogin

ANSWER_LIMIT_S: Final = 10.0
"""How long one broker may take to say what it thinks of a token."""

_MECHANISM: Final = "OAUTHBEARER"
_SEPARATOR: Final = "\x01"
_REASON_CHARS_MAX: Final = 200


class LoginRefused(Misconfigured):
    """The broker refuses the client's token, or this way to log in."""


class TokenProvider(AbstractTokenProvider):
    """Gives the client a token for each connection and counts them: many, without any answer, look like a refusal."""

    def __init__(self, login: KafkaLogin) -> None:
        self._login = login
        self.given = 0

    async def token(self) -> str:
        self.given += 1
        try:
            return await self._login.tokens.token(self._login.audience)
        except LyncArchiverError as error:  # the client survives its own errors only, and tries again
            raise KafkaConnectionError(f"no token: {error}") from error


def login_options(login: KafkaLogin | None, provider: AbstractTokenProvider | None) -> dict[str, Any]:
    """Return the client's options for this login; without one, none are needed."""
    if login is None:
        return {}
    return {
        "security_protocol": "SASL_PLAINTEXT" if login.tls is None else "SASL_SSL",
        "ssl_context": login.tls,
        "sasl_mechanism": _MECHANISM,
        "sasl_oauth_token_provider": provider,
    }


async def check_login(bootstrap: str, login: KafkaLogin | None) -> None:
    """Log in once and leave; with no login, do nothing.

    Raises:
        LoginRefused: the broker refuses the token, by the broker's own words.
        DependencyUnavailable: no broker answers, or there is no token at the moment.
    """
    if login is None:
        return
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
            raise LoginRefused(f"Kafka at {host}:{port} refused the token of {login.client}: {refusal}")
        return
    raise DependencyUnavailable(f"Kafka at {bootstrap} does not answer to a login")


async def recheck_login(bootstrap: str, login: KafkaLogin | None) -> None:
    """Do as `check_login` for a client that was logged in before: a refusal may pass, so it is worth another try.

    Raises:
        DependencyUnavailable: the broker refuses the token, or does not answer.
    """
    try:
        await check_login(bootstrap, login)
    except LoginRefused as error:
        raise DependencyUnavailable(str(error)) from error


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
