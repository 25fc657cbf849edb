"""`lync-archiver token`: issuing, looking at and checking tokens."""

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.printing import JsonOption, cell, print_json, print_line
from schemas.login import ADMIN

if TYPE_CHECKING:
    from consumers.tokens.compact import Compact

TokenArgument = Annotated[str, typer.Argument(help="A token; - reads it from standard input.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    token = typer.Typer(help="Server-to-server tokens.", no_args_is_help=True)
    token.command("issue")(issue)
    token.command("inspect")(inspect)
    token.command("check")(check)
    app.add_typer(token, name="token")


def issue(
    audience: Annotated[
        str | None, typer.Option(help="application/host@realm, or kafka; this Exchange side unless given.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="A user's UPN, to act for; the application itself else.")] = None,
    client: Annotated[str, typer.Option(help="The issuer's client that asks; its secret must be at hand.")] = ADMIN,
    as_json: JsonOption = False,
) -> None:
    """Have the issuer issue a token, and print it: it is a secret, good for whoever has it."""
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time
    from deploy.trust import audience as own_audience  # noqa: PLC0415

    settings = load_settings()
    wanted = audience or str(own_audience(settings))
    text = asyncio.run(_issue(settings, client, wanted, user))
    if as_json:
        print_json({"token": text, "audience": wanted, "user": user})
    else:
        print_line(text)


async def _issue(settings: Any, client: str, audience: str, user: str | None) -> str:
    from deploy.kafka_login import issuer_client  # noqa: PLC0415  start-up time

    async with issuer_client(settings, client) as tokens:
        return await (tokens.token(audience) if user is None else tokens.user_token(audience, user))


def inspect(token: TokenArgument, as_json: JsonOption = False) -> None:
    """Show what a token says, believing none of it: nothing is verified."""
    from consumers.tokens.compact import parse_compact, token_id  # noqa: PLC0415  start-up time
    from consumers.tokens.rules import TokenRefused  # noqa: PLC0415

    text = _text(token)
    try:
        outer = parse_compact(text)
        inner = outer.claims.get("actortoken")
        actor = parse_compact(inner) if isinstance(inner, str) else None
    except TokenRefused as refused:
        raise typer.BadParameter(str(refused), param_hint="TOKEN") from refused
    document = {"verified": False, "id": token_id(text), **_shown(outer), "actor": actor and _shown(actor)}
    if as_json:
        print_json(document)
        return
    print_line("nothing here is verified")
    for key, value in document.items():
        if key != "verified":
            print_line(f"{key:8}{value if isinstance(value, str) else json.dumps(value)}")


def _shown(token: "Compact") -> dict[str, Any]:
    """Leave out what makes a token good: signatures, and the token within."""
    return {"header": token.header, "claims": {k: v for k, v in token.claims.items() if k != "actortoken"}}


def check(token: TokenArgument, as_json: JsonOption = False) -> None:
    """Check a token as the Exchange side does; exit 1, and name the rule, where it is refused."""
    document = asyncio.run(_check(_text(token)))
    if as_json:
        print_json(document)
    elif document["accepted"]:
        for key, value in document.items():
            print_line(f"{key:14}{cell(value)}")
    else:
        typer.echo(f"refused by the rule {document['rule']}: {document['detail']}", err=True)
    if not document["accepted"]:
        raise typer.Exit(1)


async def _check(text: str) -> dict[str, Any]:
    from consumers.tokens.rules import TokenRefused  # noqa: PLC0415  start-up time
    from deploy.settings import load_settings  # noqa: PLC0415
    from deploy.trust import trusting  # noqa: PLC0415
    from schemas.times import format_time  # noqa: PLC0415

    async with trusting(load_settings()) as trust:
        try:
            accepted = await trust.check.accept(text)
        except TokenRefused as refused:
            return {"accepted": False, "rule": str(refused.rule), "detail": refused.detail}
    return {
        "accepted": True,
        "application": accepted.principal.application,
        "realm": accepted.principal.realm,
        "user": accepted.user,
        "roles": sorted(accepted.roles),
        "expires_at": format_time(accepted.expires_at),
        "id": accepted.token_id,
    }


def _text(token: str) -> str:
    if token != "-":  # noqa: S105 - the usual name of standard input
        return token
    return sys.stdin.read().strip()
