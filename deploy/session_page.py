"""`/session`: what a token would open here, as Exchange answers a caller: the session, or a challenge."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consumers.tokens.auth_config import AuthConfig
from consumers.tokens.challenge import challenge
from consumers.tokens.compact import token_id
from consumers.tokens.rules import TokenRefused
from consumers.tokens.session import Session
from deploy.trust import Trust
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable


def session_route(trust: Trust, config: AuthConfig, clock: Clock) -> Route:
    """Return the route. A caller without a token, or with an empty one, is challenged ([MS-XOAUTH] 3.2.5.4)."""

    async def respond(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        try:
            if scheme.lower() != "bearer" or not token:
                return await _challenged(trust, config, None)
            accepted = await trust.check.accept(token)
        except TokenRefused as refused:
            await trust.sessions.record(Session(clock.now(), str(refused.rule), token_id(token)))
            return await _challenged(trust, config, str(refused.rule))
        except DependencyUnavailable:
            return JSONResponse({"error": "temporarily_unavailable"}, status_code=503)
        return JSONResponse(
            {
                "application": accepted.principal.application,
                "realm": accepted.principal.realm,
                "user": accepted.user,
                "roles": sorted(accepted.roles),
                "expires_at": accepted.expires_at.isoformat(),
            }
        )

    return Route("/session", respond)


async def _challenged(trust: Trust, config: AuthConfig, rule: str | None) -> Response:
    header = challenge(config, await trust.partners.partners())
    body = {"error": "unauthorized"} if rule is None else {"error": "invalid_token", "rule": rule}
    return JSONResponse(body, status_code=401, headers={"WWW-Authenticate": header})
