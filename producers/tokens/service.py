"""The issuer's pages: metadata document, JWKS, and the token endpoint (RFC 6749, section 4.4)."""

import asyncio
from base64 import b64decode
from typing import Final
from urllib.parse import parse_qs, unquote_plus

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from producers.tokens.clients import Client, ClientRegister
from producers.tokens.documents import jwks, metadata
from producers.tokens.issuing import Issued, TokenIssuer
from schemas.errors import Misconfigured
from schemas.login import KAFKA_AUDIENCE
from schemas.principals import parse_audience

METADATA_PATH: Final = "/metadata/json/1"
"""Where Lync publishes its metadata (domain reference, section 5.1)."""

JWKS_PATH: Final = "/jwks"
TOKEN_PATH: Final = "/token"  # noqa: S105 - a path
NAME_ISSUER: Final = "urn:office:idp:activedirectory"
"""Who names users, unless the client says otherwise."""

BODY_LIMIT_S: Final = 10.0
"""How long a request's body may take to come: it is a packet."""

BODY_BYTES_MAX: Final = 8 * 1024
"""A request for a token: a grant type, an audience, a user."""

FIELDS_MAX: Final = 8
"""Four are known; others are passed over (RFC 6749, section 3.2)."""

NAME_CHARS_MAX: Final = 1024
"""More than any UPN, SID or URN has, and little enough for a token that HTTP servers take."""

FORM: Final = "application/x-www-form-urlencoded"
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""RFC 6749, section 5.1."""

_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="lync-archiver"'}
"""RFC 7617, section 2: there is no challenge without a realm."""


class _Refused(Exception):
    """The request is answered by an error of RFC 6749, section 5.2."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


def issuer_app(issuer: TokenIssuer, clients: ClientRegister, location: str) -> Starlette:
    """Return the issuer's application, whose pages are at `location` (an address without a path)."""

    def document(_: Request) -> Response:
        found = metadata(issuer.principal, "Lync", f"{location}{METADATA_PATH}", issuer.keyring.keys())
        return JSONResponse(found.model_dump())

    def keys(_: Request) -> Response:
        return JSONResponse(jwks(issuer.keyring.keys()))

    def health(_: Request) -> Response:
        issuer.keyring.keys()
        return JSONResponse({"keys": True})

    async def token(request: Request) -> Response:
        try:
            issued = _issue(issuer, _client(request, clients), await _form(request))
        except _Refused as refused:
            challenge = _CHALLENGE if refused.status == 401 else {}
            return JSONResponse({"error": refused.error}, refused.status, {**_NO_STORE, **challenge})
        body = {"access_token": issued.text, "token_type": "Bearer", "expires_in": issued.life_s}
        return JSONResponse(body, headers=_NO_STORE)

    return Starlette(
        routes=[
            Route(METADATA_PATH, document),
            Route(JWKS_PATH, keys),
            Route(TOKEN_PATH, token, methods=["POST"]),
            Route("/healthz", health),
        ],
        exception_handlers={Misconfigured: _without_keys},
    )


def _without_keys(_: Request, error: Exception) -> Response:
    """The keys are damaged, or open to others: the operator is told why, callers only that."""
    structlog.get_logger().error("the issuer cannot sign", action="issuer-without-keys", reason=str(error))
    return JSONResponse({"keys": False}, 503, _NO_STORE)


def _client(request: Request, clients: ClientRegister) -> Client:
    """Return the client that authenticates by its secret (RFC 6749, section 2.3.1)."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        name, colon, secret = b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:  # not base64, or not UTF-8 in it
        name, colon, secret = "", "", ""
    client = clients.authenticate(unquote_plus(name), unquote_plus(secret))
    if scheme.lower() != "basic" or not colon or client is None:
        raise _Refused("invalid_client", 401)
    return client


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise _Refused("invalid_request", 413)
    return body


async def _form(request: Request) -> dict[str, str]:
    """Return the parameters of the body, each of which stands once (RFC 6749, section 3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise _Refused("invalid_request")
    try:
        async with asyncio.timeout(BODY_LIMIT_S):
            body = await _body(request)
    except (ClientDisconnect, TimeoutError) as error:
        raise _Refused("invalid_request", 408) from error
    try:
        text = body.decode("ascii")
        found = parse_qs(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise _Refused("invalid_request") from error
    if any(len(values) != 1 for values in found.values()):
        raise _Refused("invalid_request")
    return {name: values[0] for name, values in found.items()}


def _issue(issuer: TokenIssuer, client: Client, form: dict[str, str]) -> Issued:
    if "grant_type" not in form:
        raise _Refused("invalid_request")
    if form["grant_type"] != "client_credentials":
        raise _Refused("unsupported_grant_type")
    audience, user, name_issuer = form.get("resource", ""), form.get("user"), form.get("nii", NAME_ISSUER)
    if audience != KAFKA_AUDIENCE and parse_audience(audience) is None:
        raise _Refused("invalid_target")  # RFC 8707, section 2
    if not client.may_ask(audience, for_user=user is not None):
        raise _Refused("unauthorized_client")
    if audience == KAFKA_AUDIENCE:
        return issuer.access_token(audience, client.id)
    if user is None:
        return issuer.app_token(audience)
    if not (_is_name(user) and _is_name(name_issuer)):
        raise _Refused("invalid_request")
    return issuer.user_token(audience, user, name_issuer)


def _is_name(text: str) -> bool:
    """Visible characters and no others, so that nothing hides in who the user is."""
    return 0 < len(text) <= NAME_CHARS_MAX and text.isprintable() and " " not in text
