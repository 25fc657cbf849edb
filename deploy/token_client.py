"""The issuer's client: tokens for one client of ours, kept while they are good, renewed before they are over."""

import asyncio
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from consumers.tokens.metadata_address import is_loopback
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable, Misconfigured

TIMEOUT_S: Final = 10.0
"""One request and all of its answer: the issuer signs in milliseconds."""

RENEW_FROM: Final = 0.7
RENEW_TO: Final = 0.85
"""A token is renewed at a random share of its life between these, so that many processes do not ask at once."""

RETRY_S: Final = 2.0
"""After a renewal that failed, the next try waits this long while the old token still serves."""

ANSWER_BYTES_MAX: Final = 64 * 1024
"""An answer holds one token."""


@dataclass(slots=True)
class _Kept:
    """A token, when to renew it, and when it is over, in the clock's monotonic seconds."""

    text: str
    renew_at: float
    ends_at: float


class IssuerClient:
    """The `TokenSource` of one client. Tokens and the secret stay here: no error repeats them.

    Raises Misconfigured for an address that is neither https nor on loopback.
    """

    def __init__(
        self, url: str, client: str, secret: str, clock: Clock, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._client = client
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._asking = asyncio.Lock()
        self._http = httpx.AsyncClient(
            base_url=_checked(url),
            auth=httpx.BasicAuth(client, secret),
            timeout=TIMEOUT_S,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),  # asked a few times an hour
            transport=transport,
        )

    async def close(self) -> None:
        """Close the connections to the issuer."""
        await self._http.aclose()

    async def token(self, audience: str) -> str:
        kept = self._good(audience)
        if kept is None and self._asking.locked():  # somebody renews, be it slowly: the old token serves meanwhile
            kept = self._alive(audience)
        if kept is not None:
            return kept.text
        async with self._asking:
            if (kept := self._good(audience)) is not None:
                return kept.text
            try:
                self._kept[audience] = await self._ask(audience)
            except DependencyUnavailable:
                old = self._alive(audience)
                if old is None:
                    raise
                old.renew_at = min(self._clock.monotonic() + RETRY_S, old.ends_at)
            return self._kept[audience].text

    def discard(self, audience: str) -> None:
        self._kept.pop(audience, None)

    async def user_token(self, audience: str, user: str) -> str:
        """Return a token by which the application acts for a user; not kept. Raises as `token` does."""
        return (await self._ask(audience, user=user)).text

    def _good(self, audience: str) -> _Kept | None:
        kept = self._kept.get(audience)
        return kept if kept is not None and self._clock.monotonic() < kept.renew_at else None

    def _alive(self, audience: str) -> _Kept | None:
        kept = self._kept.get(audience)
        return kept if kept is not None and self._clock.monotonic() < kept.ends_at else None

    async def _ask(self, audience: str, **more: str) -> _Kept:
        began = self._clock.monotonic()
        status, document = await self._post({"grant_type": "client_credentials", "resource": audience, **more})
        if status in {400, 401, 403}:
            reason = document.get("error", status)
            raise Misconfigured(f"the token issuer refused {self._client} a token for {audience}: {reason!s:.40}")
        text, life_s = document.get("access_token"), document.get("expires_in")
        if status != 200 or not isinstance(text, str) or not isinstance(life_s, int) or life_s <= 0:
            raise DependencyUnavailable(f"the token issuer gave no token: status {status}")
        renew_s = life_s * random.uniform(RENEW_FROM, RENEW_TO)  # noqa: S311 - spreads load, hides nothing
        return _Kept(text, began + renew_s, began + life_s)

    async def _post(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Return the answer's status, and its JSON object where it is one and not too large."""
        content = b""
        try:
            # httpx's own limit is for each piece of an answer; a slow one could go on for ever.
            async with asyncio.timeout(TIMEOUT_S), self._http.stream("POST", "/token", data=form) as answer:
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > ANSWER_BYTES_MAX:
                        return answer.status_code, {}
        except (httpx.HTTPError, TimeoutError) as error:
            raise DependencyUnavailable(f"the token issuer does not answer: {type(error).__name__}") from error
        return answer.status_code, _document(content)


def read_client_secret(file: Path) -> str:
    """Return a client's secret. Raises Misconfigured where others than the file's owner may read it."""
    from producers.tokens.secret_file import read_secret  # noqa: PLC0415  start-up time

    return read_secret(file).decode().strip()


def _checked(url: str) -> httpx.URL:
    """Refuse an address where the secret would go over a network in the clear (RFC 6749, section 2.3.1)."""
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Misconfigured("the token issuer's address is no URL") from error
    if found.scheme != "https" and not (found.scheme == "http" and is_loopback(found.host)):
        raise Misconfigured(f"the token issuer is at {found.host or 'no host'}: only https will do off loopback")
    return found


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
