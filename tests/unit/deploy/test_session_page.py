"""The page that tells a caller what its token would open, or challenges it."""

from typing import Any, Final

import httpx
import pytest
from starlette.applications import Starlette

from consumers.tokens.compact import token_id
from consumers.tokens.rules import Rule
from consumers.tokens.session import Session
from deploy.session_page import session_route
from schemas.errors import DependencyUnavailable
from schemas.principals import EXCHANGE, LYNC, SHAREPOINT, Principal
from tests.support.checking import Checking
from tests.support.hostile import pieces
from tests.support.tokens import (
    ALICE,
    LYNC_ID,
    NOW,
    REALM,
    SECONDS,
    SHAREPOINT_ID,
    app,
    certificate,
    partner,
    partner_key,
    user,
)
from tests.support.trust import MemorySessions

CHALLENGE: Final = f'Bearer client_id="{EXCHANGE}", trusted_issuers="{SHAREPOINT_ID},{LYNC_ID}", realm="{REALM}"'
EXPIRED: Final = {"nbf": str(SECONDS - 7200), "exp": str(SECONDS - 3600)}


class Page(Checking):
    """The page of an Exchange that trusts Lync and SharePoint, and a third that is disabled."""

    def __init__(self) -> None:
        sharepoint = partner("sp", Principal(SHAREPOINT, REALM), certificate("sharepoint"))
        disabled = partner("fab", Principal(LYNC, "fabrikam.example"), certificate("fabrikam"), enabled=False)
        super().__init__(partner_key(certificate("new")), others=(sharepoint, disabled))
        self.sessions = MemorySessions()
        self.app = Starlette(
            routes=[
                session_route(
                    config=self.config,
                    check=self.check,
                    partners=self.partners,
                    sessions=self.sessions,
                    clock=self.clock,
                )
            ]
        )

    async def ask(self, authorization: str | None = None) -> httpx.Response:
        """Ask for the session with this header, or without one."""
        headers = {} if authorization is None else {"Authorization": authorization}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://exchange") as client:
            return await client.get("/session", headers=headers)


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "bearer   ", "Basic bHluYzp3b3Jk", "Negotiate", f"Token {'x' * 20}", "Bearer\t"],
)
async def test_a_caller_without_a_token_is_challenged(page: Page, authorization: str | None) -> None:
    """It is told who we are and whose tokens we take, of those who are enabled; nothing is recorded of it."""
    answer = await page.ask(authorization)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == CHALLENGE
    assert answer.json() == {"error": "unauthorized"}
    assert page.sessions.recorded == []


async def test_a_bad_token_is_challenged_with_its_rule_and_recorded() -> None:
    """The caller learns which rule refused the token, and nothing of the token comes back."""
    tokens = {
        app(EXPIRED): Rule.EXPIRED,
        app(signer="unknown"): Rule.UNKNOWN_KEY,
        app()[:-8] + "AAAAAAAA": Rule.BAD_SIGNATURE,
        user({"nameid": "nobody"}): Rule.USER,
        "x" * 17_000: Rule.TOO_LARGE,
        "nonsense": Rule.NOT_COMPACT,
        "a b": Rule.NOT_COMPACT,
        "=?.,;": Rule.NOT_COMPACT,
    }
    for token, rule in tokens.items():
        page = Page()
        answer = await page.ask(f"Bearer {token}")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == CHALLENGE
        assert answer.json() == {"error": "invalid_token", "rule": str(rule)}
        assert page.sessions.recorded == [Session(NOW, str(rule), token_id(token))]
        assert not [piece for piece in pieces(token) if piece in answer.text]


async def test_a_token_in_other_characters_is_refused_like_any(page: Page) -> None:
    """What no token can be made of is no error of the page's."""
    transport = httpx.ASGITransport(page.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://exchange") as client:
        answer = await client.get("/session", headers=[(b"Authorization", b"Bearer \xff.\xfe.\x80")])
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_token", "rule": str(Rule.BAD_ENCODING)}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
async def test_a_good_token_is_told_what_it_opens(page: Page, scheme: str) -> None:
    """The scheme's case means nothing (RFC 9110, section 11.1); nothing is opened, so nothing is recorded."""
    answer = await page.ask(f"{scheme} {app()}")
    assert answer.status_code == 200
    assert "www-authenticate" not in answer.headers
    assert answer.json() == {
        "application": LYNC,
        "realm": REALM,
        "user": None,
        "roles": ["ArchiveApplication", "UserApplication"],
        "expires_at": "2026-01-05T10:01:00+00:00",
    }
    assert page.sessions.recorded == []


async def test_a_user_token_is_told_for_whom(page: Page) -> None:
    """The user, and the user's own roles."""
    found: dict[str, Any] = (await page.ask(f"Bearer {user()}")).json()
    assert (found["user"], found["roles"]) == (ALICE, ["ArchiveApplication"])


async def test_a_new_key_is_fetched_for_a_caller_too(page: Page) -> None:
    """Whoever presents a token by a key that the partner has just begun to use is not turned away."""
    assert (await page.ask(f"Bearer {app(signer='new')}")).status_code == 200
    assert page.source.asked == ["lync"]


async def test_a_token_that_cannot_be_judged_is_no_challenge(page: Page) -> None:
    """A caller is not told that its token is bad where nobody knows; nor does the reason tell of our servers."""
    page.source.answer = DependencyUnavailable("10.0.0.1 is down")
    answer = await page.ask(f"Bearer {app(signer='new')}")
    assert answer.status_code == 503
    assert answer.json() == {"error": "temporarily_unavailable"}
    assert "www-authenticate" not in answer.headers


async def test_a_refusal_that_cannot_be_recorded_is_not_given(page: Page) -> None:
    """Every refusal is in the record, or it is not made."""
    page.sessions.error = DependencyUnavailable("no room")
    answer = await page.ask(f"Bearer {app(EXPIRED)}")
    assert answer.status_code == 503
    assert answer.json() == {"error": "temporarily_unavailable"}
