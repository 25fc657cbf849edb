"""`/session`: what a token would open here, as Exchange answers a caller: the session, or a challenge."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consumers.tokens.auth_config import AuthConfig
from consumers.tokens.challenge import challenge
from consumers.tokens.check import TokenCheck
from consumers.tokens.compact import token_id
from consumers.tokens.ports import PartnerStore, SessionLog
from consumers.tokens.rules import TokenRefused
from consumers.tokens.session import Session
from consumers.tokens.verifier import AcceptedToken
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable


def session_route(
    *, config: AuthConfig, check: TokenCheck, partners: PartnerStore, sessions: SessionLog, clock: Clock
) -> Route:
    """Return the route. A caller without a token, or with an empty one, is challenged ([MS-XOAUTH] 3.2.5.4)."""

    async def respond(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            return await answer(token.strip() if scheme.lower() == "bearer" else "")
        except DependencyUnavailable:
            return JSONResponse({"error": "temporarily_unavailable"}, status_code=503)

    async def answer(token: str) -> Response:
        if not token:
            return await _challenged(partners, config, None)
        try:
            accepted = await check.accept(token)
        except TokenRefused as refused:
            await sessions.record(Session(clock.now(), str(refused.rule), token_id(token)))
            return await _challenged(partners, config, str(refused.rule))
        return _opened(accepted)

    return Route("/session", respond)


def _opened(accepted: AcceptedToken) -> Response:
    return JSONResponse(
        {
            "application": accepted.principal.application,
            "realm": accepted.principal.realm,
            "user": accepted.user,
            "roles": sorted(accepted.roles),
            "expires_at": accepted.expires_at.isoformat(),
        }
    )


async def _challenged(partners: PartnerStore, config: AuthConfig, rule: str | None) -> Response:
    header = challenge(config, await partners.partners())
    body = {"error": "unauthorized"} if rule is None else {"error": "invalid_token", "rule": rule}
    return JSONResponse(body, status_code=401, headers={"WWW-Authenticate": header})
