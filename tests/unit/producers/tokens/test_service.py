"""The issuer's pages answer as the protocols say, and refuse by the protocols' own words."""

import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import pytest

from producers.tokens.clients import ClientRegister, secret_file
from producers.tokens.issuing import TokenIssuer
from producers.tokens.keyring import Keyring
from producers.tokens.service import BODY_BYTES_MAX, issuer_app
from schemas.login import ADMIN, ARCHIVER, KAFKA_AUDIENCE, PRODUCER
from schemas.metadata import parse_metadata
from tests.support.clock import ManualClock
from tests.support.signing import AUDIENCE, REALM, claims_of

FORM: Final = "application/x-www-form-urlencoded"
LOCATION: Final = "https://lync.contoso.example"
GRANT: Final = {"grant_type": "client_credentials"}


class Pages:
    """The issuer's application with its folder, asked in process."""

    def __init__(self, folder: Path) -> None:
        clock = ManualClock()
        self.folder = folder
        self.issuer = TokenIssuer(Keyring(folder, REALM, clock), REALM, clock, 600)
        clients = ClientRegister(folder)
        clients.open()
        app = issuer_app(self.issuer, clients, LOCATION)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=LOCATION)

    def secret(self, client: str) -> str:
        return secret_file(self.folder, client).read_text()

    async def ask(self, client: str, **form: str) -> httpx.Response:
        return await self.http.post("/token", data={**GRANT, **form}, auth=(client, self.secret(client)))


@pytest.fixture(name="pages")
async def _pages(tmp_path: Path) -> AsyncIterator[Pages]:
    pages = Pages(tmp_path)
    yield pages
    await pages.http.aclose()


def basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(text.encode()).decode()}"}


async def test_the_documents_are_there(pages: Pages) -> None:
    """Metadata where Lync has it, with its own address in it; the JWKS; health."""
    metadata = await pages.http.get("/metadata/json/1")
    assert metadata.headers["content-type"] == "application/json"
    document = parse_metadata(metadata.content)
    assert [endpoint.location for endpoint in document.endpoints] == [f"{LOCATION}/metadata/json/1"]
    (key,) = (await pages.http.get("/jwks")).json()["keys"]
    assert key["kid"] == document.keys[0].keyinfo.x5t == pages.issuer.keyring.keys().current.x5t
    health = await pages.http.get("/healthz")
    assert (health.status_code, health.json()) == (200, {"keys": True})


async def test_an_issuer_without_its_keys_serves_nothing(pages: Pages) -> None:
    """Keys that others may use are none: no page has anything else to say until they are the owner's alone again."""
    assert (await pages.ask(PRODUCER, resource=KAFKA_AUDIENCE)).status_code == 200
    file = pages.folder / "keys" / "keys.json"
    file.chmod(0o644)
    answers = [await pages.http.get(path) for path in ("/healthz", "/metadata/json/1", "/jwks")]
    answers.append(await pages.ask(PRODUCER, resource=KAFKA_AUDIENCE))
    assert {(answer.status_code, answer.text) for answer in answers} == {(503, '{"keys":false}')}
    file.chmod(0o600)
    assert (await pages.ask(PRODUCER, resource=KAFKA_AUDIENCE)).status_code == 200


async def test_a_client_gets_a_token_for_kafka(pages: Pages) -> None:
    """The answer is RFC 6749's, section 5.1, and nobody on the way may keep it."""
    answer = await pages.ask(PRODUCER, resource=KAFKA_AUDIENCE)
    assert answer.status_code == 200
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    body = answer.json()
    assert sorted(body) == ["access_token", "expires_in", "token_type"]
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    claims = claims_of(body["access_token"])
    assert (claims["aud"], claims["sub"], claims["exp"] - claims["iat"]) == (KAFKA_AUDIENCE, PRODUCER, 600)


async def test_tokens_for_exchange_name_the_application(pages: Pages) -> None:
    """An app-only token for the archiver, and a user token for the administrator."""
    app = claims_of((await pages.ask(ARCHIVER, resource=AUDIENCE)).json()["access_token"])
    assert (app["aud"], app["nameid"]) == (AUDIENCE, str(pages.issuer.principal))
    answer = await pages.ask(ADMIN, resource=AUDIENCE, user="zoë@contoso.example", nii="urn:federation:microsoftonline")
    user = claims_of(answer.json()["access_token"])
    assert (user["nameid"], user["nii"]) == ("zoë@contoso.example", "urn:federation:microsoftonline")
    default = claims_of((await pages.ask(ADMIN, resource=AUDIENCE, user="a@b.example")).json()["access_token"])
    assert default["nii"] == "urn:office:idp:activedirectory"


@pytest.mark.parametrize(
    ("client", "form", "error"),
    [
        pytest.param(ADMIN, {"grant_type": "password", "resource": AUDIENCE}, "unsupported_grant_type", id="grant"),
        pytest.param(ADMIN, {"grant_type": "", "resource": AUDIENCE}, "unsupported_grant_type", id="no-grant"),
        pytest.param(ADMIN, {}, "invalid_target", id="no-resource"),
        pytest.param(ADMIN, {"resource": "Kafka"}, "invalid_target", id="kafka-in-another-case"),
        pytest.param(ADMIN, {"resource": "00000002@contoso.example"}, "invalid_target", id="no-host"),
        pytest.param(ADMIN, {"resource": f"{AUDIENCE}\n"}, "invalid_target", id="line-break"),
        pytest.param(ADMIN, {"resource": AUDIENCE.replace("a", "а")}, "invalid_target", id="look-alike"),  # Cyrillic
        pytest.param(PRODUCER, {"resource": AUDIENCE}, "unauthorized_client", id="producer-at-exchange"),
        pytest.param(ARCHIVER, {"resource": AUDIENCE, "user": "a@b.example"}, "unauthorized_client", id="user"),
        pytest.param(ADMIN, {"resource": KAFKA_AUDIENCE, "user": "a@b.example"}, "unauthorized_client", id="at-kafka"),
        pytest.param(ADMIN, {"resource": AUDIENCE, "user": ""}, "invalid_request", id="nobody"),
        pytest.param(ADMIN, {"resource": AUDIENCE, "user": "a b@c.example"}, "invalid_request", id="space"),
        pytest.param(ADMIN, {"resource": AUDIENCE, "user": "a@b.example\u202e"}, "invalid_request", id="direction"),
        pytest.param(ADMIN, {"resource": AUDIENCE, "user": "a" * 1025}, "invalid_request", id="long-name"),
        pytest.param(ADMIN, {"resource": AUDIENCE, "user": "a@b.example", "nii": ""}, "invalid_request", id="no-nii"),
    ],
)
async def test_a_request_is_refused_by_the_word_for_it(
    pages: Pages, client: str, form: dict[str, str], error: str
) -> None:
    """RFC 6749, section 5.2, and RFC 8707, section 2, have the words; there is nothing else in the answer."""
    answer = await pages.ask(client, **form)
    assert (answer.status_code, answer.json()) == (400, {"error": error})
    assert answer.headers["cache-control"] == "no-store"


BODIES: Final[dict[str, bytes]] = {
    "empty": b"",
    "no-grant": b"resource=kafka",
    "twice": b"grant_type=client_credentials&resource=kafka&resource=kafka",
    "no-form": b"resource",
    "not-ascii": "grant_type=client_credentials&resource=käfka".encode(),
    "not-utf-8": b"grant_type=client_credentials&resource=kafka&user=%ff",
    "many": b"grant_type=client_credentials&resource=kafka&" + b"&".join(b"a%d=" % n for n in range(9)),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_malformed_request_is_invalid(pages: Pages, body: bytes) -> None:
    """A parameter that is missing, or stands twice, or is no text, and a body that is no form."""
    auth = (ADMIN, pages.secret(ADMIN))
    answer = await pages.http.post("/token", content=body, headers={"Content-Type": FORM}, auth=auth)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", ""])
async def test_a_body_of_another_kind_is_invalid(pages: Pages, kind: str) -> None:
    """The parameters come as a form (RFC 6749, section 4.4.2)."""
    auth = (PRODUCER, pages.secret(PRODUCER))
    body = urlencode({**GRANT, "resource": KAFKA_AUDIENCE}).encode()
    answer = await pages.http.post("/token", content=body, headers={"Content-Type": kind}, auth=auth)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
    answer = await pages.http.post("/token", content=body, headers={"Content-Type": f"{FORM}; a=b"}, auth=auth)
    assert answer.status_code == 200


async def test_a_body_is_read_up_to_its_limit_only(pages: Pages) -> None:
    """A body without an end is refused once it is over the limit, though it says nothing of its length."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 100:
            read += 1
            yield b"a" * 1024

    headers = {"Content-Type": FORM} | basic(f"{ADMIN}:{pages.secret(ADMIN)}")
    answer = await pages.http.post("/token", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()) == (413, {"error": "invalid_request"})
    assert read <= BODY_BYTES_MAX // 1024 + 1


HEADERS: Final[dict[str, dict[str, Any]]] = {
    "none": {},
    "empty": {"Authorization": ""},
    "bearer": {"Authorization": "Bearer abc"},
    "no-base64": {"Authorization": "Basic ***"},
    "not-ascii": {"Authorization": b"Basic \xe9\xe9\xe9\xe9"},
    "not-utf-8": {"Authorization": "Basic /////w=="},
    "no-colon": basic(PRODUCER),
    "no-secret": basic(f"{PRODUCER}:"),
    "wrong-secret": basic(f"{PRODUCER}:canary-of-a-secret"),
    "stranger": basic("lync-stranger:canary-of-a-secret"),
    "nobody": basic(":"),
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
async def test_who_does_not_prove_who_they_are_gets_nothing(
    pages: Pages, headers: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is wrong, the answer is one and the same, with a challenge, and nothing is logged of it."""
    caplog.set_level(logging.DEBUG)
    answer = await pages.http.post("/token", data={**GRANT, "resource": KAFKA_AUDIENCE}, headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert answer.headers["www-authenticate"] == 'Basic realm="lync-archiver"'
    assert "canary" not in caplog.text


async def test_the_right_secret_in_another_scheme_is_nothing(pages: Pages) -> None:
    """The secret comes in the header of HTTP's basic scheme, neither in another nor in the body."""
    credentials = basic(f"{PRODUCER}:{pages.secret(PRODUCER)}")["Authorization"]
    form = {**GRANT, "resource": KAFKA_AUDIENCE}
    answer = await pages.http.post(
        "/token", data=form, headers={"Authorization": credentials.replace("Basic", "Digest")}
    )
    assert answer.status_code == 401
    body = form | {"client_id": PRODUCER, "client_secret": pages.secret(PRODUCER)}
    assert (await pages.http.post("/token", data=body)).status_code == 401
    lower = await pages.http.post("/token", data=form, headers={"Authorization": credentials.replace("B", "b", 1)})
    assert lower.status_code == 200  # the scheme's name is in any case (RFC 9110, section 11.1)


async def test_tokens_are_given_to_posts_only(pages: Pages) -> None:
    """A token in an answer to GET would be kept on the way (RFC 6749, section 3.2)."""
    answer = await pages.http.get("/token", params={**GRANT, "resource": KAFKA_AUDIENCE})
    assert answer.status_code == 405
    assert (await pages.http.get("/keys/keys.json")).status_code == 404
