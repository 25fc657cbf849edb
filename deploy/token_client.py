"""The issuer's client: tokens for one client of ours, kept while they are good, renewed before they are over."""

import asyncio
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from schemas.clock import Clock
from schemas.errors import DependencyUnavailable, Misconfigured

TIMEOUT_S: Final = 10.0
"""One request: the issuer signs in milliseconds."""

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
    """The `TokenSource` of one client. Tokens and the secret stay here: no error repeats them."""

    def __init__(
        self, url: str, client: str, secret: str, clock: Clock, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._client = client
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._asking = asyncio.Lock()
        self._http = httpx.AsyncClient(
            base_url=url,
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
        if (kept := self._good(audience)) is not None:
            return kept.text
        async with self._asking:
            if (kept := self._good(audience)) is not None:
                return kept.text
            try:
                self._kept[audience] = await self._ask(audience)
            except DependencyUnavailable:
                old = self._kept.get(audience)
                if old is None or self._clock.monotonic() >= old.ends_at:
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

    async def _ask(self, audience: str, **more: str) -> _Kept:
        began = self._clock.monotonic()
        form = {"grant_type": "client_credentials", "resource": audience, **more}
        try:
            answer = await self._http.post("/token", data=form)
        except httpx.HTTPError as error:
            raise DependencyUnavailable(f"the token issuer does not answer: {type(error).__name__}") from error
        document = _document(answer)
        if answer.status_code in {400, 401, 403}:
            reason = document.get("error", answer.status_code)
            raise Misconfigured(f"the token issuer refused {self._client} a token for {audience}: {reason!s:.40}")
        text, life_s = document.get("access_token"), document.get("expires_in")
        if answer.status_code != 200 or not isinstance(text, str) or not isinstance(life_s, int) or life_s <= 0:
            raise DependencyUnavailable(f"the token issuer gave no token: status {answer.status_code}")
        renew_s = life_s * random.uniform(RENEW_FROM, RENEW_TO)  # noqa: S311 - spreads load, hides nothing
        return _Kept(text, began + renew_s, began + life_s)


def read_client_secret(file: Path) -> str:
    """Return a client's secret. Raises Misconfigured where others than the file's owner may read it."""
    from producers.tokens.secret_file import read_secret  # noqa: PLC0415  start-up time

    return read_secret(file).decode().strip()


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(answer.content[:ANSWER_BYTES_MAX])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
