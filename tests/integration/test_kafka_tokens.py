"""Tokens against a real broker: what it refuses, to whom, and that nothing is had without one."""

import asyncio
import hmac
import json
import struct
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from datetime import timedelta
from typing import Any, Final

import jwt
import pytest
from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaError, UnsupportedSaslMechanismError
from aiokafka.protocol.admin import SaslAuthenticateRequest, SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import producers.kafka_login as producers_login
from consumers.kafka_login import check_login, login_options
from consumers.kafka_source import KafkaSource
from deploy.stack.state import HOST, Ports, load_ports
from producers.kafka_publisher import KafkaPublisher
from producers.kafka_recorder import KafkaRecorder
from producers.tokens.keyring import Keyring
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.errors import DependencyUnavailable, Misconfigured
from schemas.login import ARCHIVER, PRODUCER, KafkaLogin
from schemas.principals import EXCHANGE, Principal
from tests.conftest import StackAddresses
from tests.support.issuer import REALM, Issuer, Tokens, new_key
from tests.support.trust import GivenTokens
from tests.support.waiting import await_until

SECONDS: Final = 5.0
"""What "within seconds" means here."""

API_KEYS: Final = range(100)
"""Every request that Kafka knows, those between brokers and to the controller included, and some that it does not."""

OPEN_API_KEYS: Final = {17, 18}
"""SaslHandshake and ApiVersions: what a client needs to log in at all. They tell it nothing but what it may speak."""


def _header_and_claims(token: str, header: dict[str, Any]) -> str:
    """Return an unsigned token with the claims of another."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none", headers=header)


def _hs256_with_the_public_key(issuer: Issuer) -> str:
    public = issuer.keys[issuer.kid].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = _part({"typ": "at+jwt", "alg": "HS256", "kid": issuer.kid}) + "." + _part(issuer.claims(PRODUCER))
    signature = hmac.digest(public, head.encode(), "sha256")  # by hand, since no library would
    return f"{head}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def _part(document: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def _with(**claims: Any) -> Callable[[Issuer], str]:
    return lambda issuer: issuer.signed(issuer.claims(PRODUCER) | claims)


def _without(claim: str) -> Callable[[Issuer], str]:
    def made(issuer: Issuer) -> str:
        claims = issuer.claims(PRODUCER)
        del claims[claim]
        return issuer.signed(claims)

    return made


def _by_another_key(kid: str | None) -> Callable[[Issuer], str]:
    def made(issuer: Issuer) -> str:
        return Issuer(keys={kid or issuer.kid: new_key()}).signed(issuer.claims(PRODUCER))

    return made


def _good(issuer: Issuer) -> str:
    return issuer.signed(issuer.claims(PRODUCER))


def _changed(issuer: Issuer) -> str:
    header, _claims, signature = _good(issuer).split(".")
    _header, other, _signature = issuer.signed(issuer.claims("lync-admin")).split(".")
    return f"{header}.{other}.{signature}"


REFUSED: Final[dict[str, Callable[[Issuer], str]]] = {
    "audience-of-another": _with(aud="mongodb"),
    "audience-of-exchange": _with(aud=f"{EXCHANGE}/mail.{REALM}@{REALM}"),
    "audience-in-another-case": _with(aud="Kafka"),
    "audience-empty": _with(aud=""),
    "audience-missing": _without("aud"),
    "issuer-of-another-realm": _with(iss="00000004-0000-0ff1-ce00-000000000000@fabrikam.example"),
    "issuer-of-another-application": _with(iss=str(Principal(EXCHANGE, REALM))),
    "issuer-missing": _without("iss"),
    "expired": _with(exp=1_600_000_000),
    "expired-a-minute-ago": lambda issuer: issuer.signed(issuer.claims(PRODUCER, -60)),
    "expiry-missing": _without("exp"),
    "expiry-no-number": _with(exp="tomorrow"),
    "issue-time-missing": _without("iat"),
    "not-yet-valid": _with(nbf=4_000_000_000),
    "client-missing": _without("nameid"),
    "client-empty": _with(nameid=""),
    "client-a-list": _with(nameid=[PRODUCER, "lync-admin"]),
    "unknown-key": _by_another_key("other-key"),
    "another-key-under-the-known-id": _by_another_key(None),
    "claims-changed": _changed,
    "signature-missing": lambda issuer: _good(issuer).rpartition(".")[0] + ".",
    "alg-none": lambda issuer: _header_and_claims(_good(issuer), {"kid": issuer.kid}),
    "alg-hs256-with-the-public-key": _hs256_with_the_public_key,
    "no-token": lambda _issuer: "",
    "no-jwt": lambda _issuer: "let-me-in",
}


@pytest.fixture
def ports(stack: StackAddresses, issuer: Issuer) -> Ports:
    """The ports of the session's own Kafka."""
    assert issuer.jwks_url
    assert stack.data is not None
    return load_ports(stack.data)


def forged_login(issuer: Issuer, client: str, token: str) -> KafkaLogin:
    return KafkaLogin(client, Tokens(issuer, client, forged=token))


@pytest.mark.parametrize("case", REFUSED)
async def test_a_bad_token_is_refused_and_gets_nothing(stack: StackAddresses, issuer: Issuer, case: str) -> None:
    """The broker's own word is passed on, and a client that goes on regardless is cut off without an answer."""
    login = forged_login(issuer, PRODUCER, REFUSED[case](issuer))
    with pytest.raises(Misconfigured, match=rf"Kafka at {stack.bootstrap} refused the token of lync-producer: "):
        await check_login(stack.bootstrap, login)
    host, port = stack.bootstrap.split(":")
    connection = AIOKafkaConnection(host, int(port), **login_options(login, Unchecked(login)))
    with closing(connection):
        with suppress(KafkaError):  # some are refused in the first round already
            await connection.connect()
        await assert_nothing_is_told(connection)
    await check_login(stack.bootstrap, issuer.login(PRODUCER))  # as healthy as before


class Unchecked(AbstractTokenProvider):
    """Gives a client whatever token there is, as a client does that does not ask the broker first."""

    def __init__(self, login: KafkaLogin) -> None:
        self._login = login

    async def token(self) -> str:
        return await self._login.tokens.token(self._login.audience)


async def assert_nothing_is_told(connection: AIOKafkaConnection) -> None:
    """The answer to a first request, if there is one, is empty, and there is no second."""
    with suppress(KafkaError):
        answer: Any = await connection.send(MetadataRequest(None))
        assert (answer.brokers, answer.cluster_id, answer.topics) == ([], None, [])
    with pytest.raises(KafkaError):
        await connection.send(MetadataRequest(None))


ACCEPTED: Final[dict[str, Callable[[Issuer], str]]] = {
    "as-issued": _good,
    "audience-among-others": _with(aud=["mongodb", "kafka"]),
    "key-id-missing": lambda issuer: jwt.encode(issuer.claims(PRODUCER), issuer.keys[issuer.kid], algorithm="RS256"),
    "a-minute-to-live": lambda issuer: issuer.signed(issuer.claims(PRODUCER, 60)),
}


@pytest.mark.parametrize("case", ACCEPTED)
async def test_a_good_token_is_accepted(stack: StackAddresses, issuer: Issuer, case: str) -> None:
    """What the trusted key signed for this audience is enough, so the refusals are not for another reason."""
    token = ACCEPTED[case](issuer)
    assert await check_login(stack.bootstrap, forged_login(issuer, PRODUCER, token)) == token


async def test_a_refused_token_ends_every_door_within_seconds(
    stack: StackAddresses, issuer: Issuer, topics: Topics
) -> None:
    """Publishing, recording and archiving end with one sentence that holds no token."""
    token = REFUSED["audience-of-another"](issuer)
    clock = SystemClock()
    for start in (
        KafkaPublisher(stack.bootstrap, forged_login(issuer, PRODUCER, token)).__aenter__,
        KafkaRecorder(stack.bootstrap, topics.names, clock, forged_login(issuer, ARCHIVER, token)).__aenter__,
        KafkaSource(stack.bootstrap, "test", topics.names, 6, forged_login(issuer, ARCHIVER, token)).start,
    ):
        begun = clock.monotonic()
        with pytest.raises(Misconfigured, match=r"^Kafka at \S+ refused the token of lync-\w+: invalid_token; ") as e:
            await start()
        assert clock.monotonic() - begun < SECONDS
        assert token not in str(e.value)


@pytest.mark.parametrize("try_login", [check_login, producers_login.check_login], ids=["reads", "writes"])
async def test_a_refused_token_is_not_tried_again(
    stack: StackAddresses, issuer: Issuer, try_login: Callable[[str, KafkaLogin], Awaitable[str]]
) -> None:
    """A source that keeps its tokens is told of the refusal, so that the next connection has another one."""
    good = _good(issuer)
    login = KafkaLogin(PRODUCER, GivenTokens(REFUSED["audience-of-another"](issuer), good))
    with pytest.raises(Misconfigured, match="refused the token"):
        await try_login(stack.bootstrap, login)
    assert await try_login(stack.bootstrap, login) == good


async def test_an_issuers_trouble_is_told_as_it_is(stack: StackAddresses, issuer: Issuer) -> None:
    """No token is not the broker's refusal: the issuer's own error arrives."""
    for error in (DependencyUnavailable("the issuer is away"), Misconfigured("the issuer does not know us")):
        login = KafkaLogin(PRODUCER, Tokens(issuer, PRODUCER, error=error))
        with pytest.raises(type(error), match=str(error)):
            await KafkaPublisher(stack.bootstrap, login).__aenter__()


@pytest.mark.parametrize("listener", ["kafka", "internal", "controller"])
async def test_a_client_that_does_not_log_in_gets_no_answer_to_anything(ports: Ports, listener: str) -> None:
    """On every port, every request but the two that logging in begins with ends the connection."""
    port = getattr(ports, listener)
    answers = await asyncio.gather(*(_answer(port, key, version) for key in API_KEYS for version in (0, 1)))
    asked = [(key, version) for key in API_KEYS for version in (0, 1)]
    answered = {key for (key, _version), answer in zip(asked, answers, strict=True) if answer}
    assert answered <= OPEN_API_KEYS


async def _answer(port: int, key: int, version: int) -> bytes:
    """Send the head of a request and return all that comes back until the broker ends the connection."""
    request = struct.pack(">hhih", key, version, 1, -1) + b"\0" * 64
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(struct.pack(">i", len(request)) + request)
        async with asyncio.timeout(30):
            return await reader.read(4 if key in OPEN_API_KEYS else -1)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("listener", ["kafka", "internal", "controller"])
@pytest.mark.parametrize("password", ["", "lync-broker", "admin-secret"])
async def test_a_guessed_password_gets_nothing(ports: Ports, listener: str, password: str) -> None:
    """The client listener takes no password at all; those of the node itself take only its own."""
    connection = AIOKafkaConnection(
        HOST,
        getattr(ports, listener),
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_plain_username="lync-broker",
        sasl_plain_password=password,
    )
    with closing(connection), pytest.raises(KafkaError):
        await connection.connect()


@pytest.mark.parametrize("listener", ["internal", "controller"])
async def test_a_good_token_gets_nothing_from_the_nodes_own_listeners(
    issuer: Issuer, ports: Ports, listener: str
) -> None:
    """Not even the administrator's: tokens are for the client listener."""
    login = issuer.login("lync-admin")
    options = login_options(login, Unchecked(login))
    connection = AIOKafkaConnection(HOST, getattr(ports, listener), **options)
    with closing(connection), pytest.raises(UnsupportedSaslMechanismError):
        await connection.connect()


async def test_a_token_in_another_form_gets_nothing(stack: StackAddresses, issuer: Issuer, ports: Ports) -> None:
    """The exchange has one form (RFC 7628, section 3.1): what only looks like it is refused."""
    token = _good(issuer)
    for content in (
        f"n,,\x01auth=Bearer {token}",
        f"n,,\x01auth=Basic {token}\x01\x01",
        f"n,a=lync-admin,\x01auth=Bearer {token}\x01\x01",
        "",
        "\x01",
    ):
        connection = AIOKafkaConnection(HOST, ports.kafka)
        with closing(connection):
            await connection.connect()
            await connection.send(SaslHandShakeRequest("OAUTHBEARER"))
            with suppress(KafkaError):
                answer: Any = await connection.send(SaslAuthenticateRequest(content.encode()))
                assert answer.error_code or answer.sasl_auth_bytes
            await assert_nothing_is_told(connection)
    await check_login(stack.bootstrap, issuer.login(PRODUCER))


async def test_a_key_that_is_published_later_is_taken(stack: StackAddresses, issuer: Issuer) -> None:
    """An unknown key makes the broker fetch the keys again, so that a roll-over needs no restart."""
    clock = SystemClock()
    keys = Keyring(stack.issuer_folder, REALM, clock).roll(clock.now() + timedelta(hours=1), lead_s=0)
    assert keys.following is not None
    following = Issuer(clock, {keys.following.x5t: keys.following.private}, issuer.jwks_url)

    async def is_taken() -> bool:
        try:
            await check_login(stack.bootstrap, following.login(PRODUCER))
        except Misconfigured:
            return False
        return True

    await await_until(is_taken, 40)


async def test_no_secret_is_left_in_the_open(stack: StackAddresses, issuer: Issuer, ports: Ports) -> None:
    """The broker's log names reasons but repeats no token, and its password is its owner's alone to read."""
    assert ports.kafka
    assert stack.data is not None
    file = stack.data / "kafka" / "log"
    before = len(file.read_text())  # what other tests made the broker say is not about tokens
    for case in ("unknown-key", "another-key-under-the-known-id", "no-jwt", "audience-of-another"):
        with pytest.raises(Misconfigured):
            await check_login(stack.bootstrap, forged_login(issuer, PRODUCER, REFUSED[case](issuer)))
    log = file.read_text()[before:]
    assert "Invalid JWS Signature" in log
    assert "eyJ" not in log
    assert "\tat " not in log
    for name in ("server.properties", "format.properties"):
        assert ((stack.data / "kafka" / name).stat().st_mode & 0o777) == 0o600
