"""The issuer's client keeps tokens while they are good, and asks once when they are not; the issuer is the real one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import httpx
import pytest

from deploy.token_client import (
    ANSWER_BYTES_MAX,
    RENEW_FROM,
    RENEW_TO,
    RETRY_S,
    IssuerClient,
    read_client_secret,
)
from producers.tokens.clients import ClientRegister, secret_file
from producers.tokens.issuing import TokenIssuer
from producers.tokens.keyring import Keyring
from producers.tokens.service import issuer_app
from schemas.errors import DependencyUnavailable, LyncArchiverError, Misconfigured
from schemas.login import ADMIN, ARCHIVER, KAFKA_AUDIENCE, PRODUCER
from tests.support.clock import ManualClock
from tests.support.signing import AUDIENCE, REALM, claims_of

URL: Final = "https://lync.contoso.example"
LIFE_S: Final = 1000
SOON: Final = LIFE_S * RENEW_FROM
LATE: Final = LIFE_S * RENEW_TO
CANARY: Final = "canary-of-a-secret"


class Line(httpx.AsyncBaseTransport):
    """The way to the issuer, which a test can cut, hold, or answer on itself."""

    def __init__(self, issuer: httpx.AsyncBaseTransport) -> None:
        self._issuer = issuer
        self.asked = 0
        self.cut: Exception | None = None
        self.answer: Callable[[], httpx.Response] | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        await self.open.wait()
        if self.cut is not None:
            raise self.cut
        return await self._issuer.handle_async_request(request) if self.answer is None else self.answer()


class Ground:
    """An issuer in a folder, a clock, and the line between it and its clients."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        register = ClientRegister(folder)
        register.open()
        issuer = TokenIssuer(Keyring(folder, REALM, self.clock), REALM, self.clock, LIFE_S)
        self.line = Line(httpx.ASGITransport(issuer_app(issuer, register, URL)))
        self.clients: list[IssuerClient] = []

    def client(self, name: str = ARCHIVER, secret: str | None = None) -> IssuerClient:
        found = secret or read_client_secret(secret_file(self.folder, name))
        made = IssuerClient(URL, name, found, self.clock, transport=self.line)
        self.clients.append(made)
        return made


@pytest.fixture(name="ground")
async def _ground(tmp_path: Path) -> AsyncIterator[Ground]:
    ground = Ground(tmp_path)
    yield ground
    for client in ground.clients:
        await client.close()


async def test_a_token_is_kept_while_it_is_good(ground: Ground) -> None:
    """One for each audience, the same until it is time to renew, another after that."""
    client = ground.client()
    first = await client.token(KAFKA_AUDIENCE)
    exchange = await client.token(AUDIENCE)
    assert (claims_of(first)["aud"], claims_of(exchange)["aud"]) == (KAFKA_AUDIENCE, AUDIENCE)
    ground.clock.advance(SOON - 1)
    assert (await client.token(KAFKA_AUDIENCE), await client.token(AUDIENCE)) == (first, exchange)
    assert ground.line.asked == 2
    ground.clock.advance(LATE - SOON + 1)
    assert await client.token(KAFKA_AUDIENCE) != first
    assert ground.line.asked == 3


async def test_processes_do_not_renew_all_at_once(ground: Ground) -> None:
    """Of many clients whose tokens began together, some renew early and some late, and none outside the bounds."""
    clients = [ground.client() for _ in range(40)]
    for client in clients:
        await client.token(KAFKA_AUDIENCE)
    renewed = []
    for seconds in (SOON - 1, (LATE - SOON) / 2 + 1, (LATE - SOON) / 2):
        ground.clock.advance(seconds)
        before = ground.line.asked
        for client in clients:
            await client.token(KAFKA_AUDIENCE)
        renewed.append(ground.line.asked - before)
    none, early, late = renewed
    assert none == 0
    assert early + late == 40
    assert early > 0
    assert late > 0


async def test_those_who_wait_share_one_request(ground: Ground) -> None:
    """However many ask while a request is under way, the issuer is asked once."""
    client = ground.client()
    ground.line.open.clear()
    waiting = [asyncio.ensure_future(client.token(KAFKA_AUDIENCE)) for _ in range(20)]
    while ground.line.asked == 0:
        await asyncio.wait(waiting, timeout=0)
    ground.line.open.set()
    assert len(set(await asyncio.gather(*waiting))) == 1
    assert ground.line.asked == 1


async def test_nobody_waits_for_a_renewal_while_the_old_token_serves(ground: Ground) -> None:
    """One asks an issuer that does not answer; others go on with what they have, until that is over."""
    client = ground.client()
    old = await client.token(KAFKA_AUDIENCE)
    ground.clock.advance(LATE)
    ground.line.open.clear()
    renewing = asyncio.ensure_future(client.token(KAFKA_AUDIENCE))
    while ground.line.asked == 1:
        await asyncio.wait((renewing,), timeout=0)
    async with asyncio.timeout(10):
        assert [await client.token(KAFKA_AUDIENCE) for _ in range(3)] == [old] * 3
    ground.clock.advance(LIFE_S - LATE)
    late = asyncio.ensure_future(client.token(KAFKA_AUDIENCE))
    await asyncio.wait((late,), timeout=0)
    assert not late.done()
    ground.line.open.set()
    assert await renewing != old
    assert await late == await renewing
    assert ground.line.asked == 2


async def test_who_is_cancelled_takes_nobody_along(ground: Ground) -> None:
    """Another who waits asks in the place of the one that went away."""
    client = ground.client()
    ground.line.open.clear()
    first, second = (asyncio.ensure_future(client.token(KAFKA_AUDIENCE)) for _ in range(2))
    while ground.line.asked == 0:
        await asyncio.wait((first, second), timeout=0)
    first.cancel()
    ground.line.open.set()
    assert claims_of(await second)["sub"] == ARCHIVER
    assert first.cancelled()


@pytest.mark.parametrize("cut", [httpx.ConnectError(CANARY), httpx.ReadTimeout(CANARY), httpx.RemoteProtocolError("")])
async def test_the_old_token_serves_while_the_issuer_is_down(ground: Ground, cut: Exception) -> None:
    """Until its last second; then nothing does, until the issuer is back."""
    client = ground.client()
    old = await client.token(KAFKA_AUDIENCE)
    ground.clock.advance(LATE)
    ground.line.cut = cut
    assert await client.token(KAFKA_AUDIENCE) == old
    ground.clock.advance(LIFE_S - LATE - 1)
    assert await client.token(KAFKA_AUDIENCE) == old
    ground.clock.advance(1)
    with pytest.raises(DependencyUnavailable, match=type(cut).__name__) as refused:
        await client.token(KAFKA_AUDIENCE)
    assert CANARY not in str(refused.value)
    ground.line.cut = None
    assert await client.token(KAFKA_AUDIENCE) != old


async def test_an_issuer_that_is_down_is_left_in_peace(ground: Ground) -> None:
    """While the old token serves, the next try waits a little."""
    client = ground.client()
    await client.token(KAFKA_AUDIENCE)
    ground.clock.advance(LATE)
    ground.line.cut = httpx.ConnectError("down")
    for _ in range(10):
        await client.token(KAFKA_AUDIENCE)
    assert ground.line.asked == 2
    ground.clock.advance(RETRY_S)
    await client.token(KAFKA_AUDIENCE)
    assert ground.line.asked == 3


async def test_a_discarded_token_is_not_given_again(ground: Ground) -> None:
    """What a server refused is forgotten, though the issuer is down; another audience's stays."""
    client = ground.client()
    refused, other = await client.token(KAFKA_AUDIENCE), await client.token(AUDIENCE)
    client.discard(KAFKA_AUDIENCE)
    assert await client.token(KAFKA_AUDIENCE) != refused
    client.discard(KAFKA_AUDIENCE)
    ground.line.cut = httpx.ConnectError("down")
    with pytest.raises(DependencyUnavailable):
        await client.token(KAFKA_AUDIENCE)
    assert await client.token(AUDIENCE) == other
    client.discard("nothing")


@pytest.mark.parametrize(
    ("name", "secret", "audience", "reason"),
    [
        (ARCHIVER, CANARY, KAFKA_AUDIENCE, "invalid_client"),
        ("lync-stranger", CANARY, KAFKA_AUDIENCE, "invalid_client"),
        (ARCHIVER, None, "nowhere", "invalid_target"),
        (PRODUCER, None, AUDIENCE, "unauthorized_client"),
    ],
)
async def test_a_refusal_names_client_and_audience(
    ground: Ground, name: str, secret: str | None, audience: str, reason: str
) -> None:
    """It is for the operator to mend: one sentence with the issuer's reason, and never the secret."""
    client = ground.client(name, secret)
    with pytest.raises(Misconfigured) as refused:
        await client.token(audience)
    assert str(refused.value) == f"the token issuer refused {name} a token for {audience}: {reason}"


async def test_a_user_token_is_asked_for_each_time(ground: Ground) -> None:
    """It is one person's, and is not kept among the application's."""
    client = ground.client(ADMIN)
    own = await client.token(AUDIENCE)
    text = await client.user_token(AUDIENCE, "ada@contoso.example")
    assert claims_of(text)["nameid"] == "ada@contoso.example"
    assert await client.token(AUDIENCE) == own


def _json(status: int, body: object) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(status, json=body)


GOOD: Final = {"access_token": CANARY, "token_type": "Bearer", "expires_in": 600}
ANSWERS: Final[dict[str, Callable[[], httpx.Response]]] = {
    "error-of-the-server": _json(500, GOOD),
    "elsewhere": lambda: httpx.Response(302, headers={"Location": "https://elsewhere.example/token"}),
    "not-found": _json(404, {}),
    "no-json": lambda: httpx.Response(200, content=CANARY),
    "deep-json": lambda: httpx.Response(200, content="[" * 50_000),
    "list": _json(200, [CANARY]),
    "no-token": _json(200, {"expires_in": 600}),
    "token-of-another-type": _json(200, GOOD | {"access_token": 1}),
    "no-life": _json(200, {"access_token": CANARY}),
    "life-of-another-type": _json(200, GOOD | {"expires_in": "600"}),
    "life-over": _json(200, GOOD | {"expires_in": 0}),
    "too-large": _json(200, GOOD | {"more": "x" * ANSWER_BYTES_MAX}),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_is_none_is_an_issuer_that_is_down(
    ground: Ground, answer: Callable[[], httpx.Response]
) -> None:
    """Another try may help; nothing is followed anywhere, and nothing of the answer is repeated."""
    client = ground.client()
    ground.line.answer = answer
    with pytest.raises(DependencyUnavailable, match="gave no token: status") as refused:
        await client.token(KAFKA_AUDIENCE)
    assert CANARY not in str(refused.value)
    assert ground.line.asked == 1
    ground.line.answer = None
    assert claims_of(await client.token(KAFKA_AUDIENCE))["sub"] == ARCHIVER


@pytest.mark.parametrize(
    "url",
    [
        "http://lync.contoso.example:8080",
        "http://127.0.0.1.contoso.example",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "127.0.0.1:8080",
        "http://[::1",
        "",
    ],
)
def test_the_secret_goes_nowhere_in_the_clear(url: str) -> None:
    """Off loopback only https will do, and what is no address is refused before anything is sent."""
    with pytest.raises(Misconfigured, match="issuer") as refused:
        IssuerClient(url, ARCHIVER, CANARY, ManualClock())
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:80", "https://10.0.0.1"])
async def test_loopback_and_https_will_do(url: str) -> None:
    """Nobody else is on loopback."""
    client = IssuerClient(url, ARCHIVER, CANARY, ManualClock())
    await client.close()


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """The client's file is held to what the issuer's are."""
    file = tmp_path / "one.secret"
    file.write_text(f"{CANARY}\n")
    file.chmod(0o644)
    with pytest.raises(LyncArchiverError, match="chmod 600"):
        read_client_secret(file)
    file.chmod(0o600)
    assert read_client_secret(file) == CANARY
