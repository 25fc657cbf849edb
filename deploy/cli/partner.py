"""`lync-archiver partner`: whom the archive trusts to write, how far, and by which keys."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from consumers.tokens.partner import LYNC_ROLES, TrustLevel
from deploy.cli.printing import JsonLinesOption, JsonOption, cell, print_json, print_line, print_rows, print_table
from schemas.principals import LYNC
from schemas.support import Deployment

if TYPE_CHECKING:
    from consumers.tokens.partner import PartnerApplication
    from consumers.tokens.session import Session

SESSIONS_MAX: Final = 10_000
"""Sessions of one listing: a day of a busy archive, and a table that still fits into memory."""

NameArgument = Annotated[str, typer.Argument(help="The partner's name in this archive, or its id@realm.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    partner = typer.Typer(help="Partner applications: whose tokens are taken.", no_args_is_help=True)
    partner.command("add")(add)
    partner.command("list")(list_partners)
    partner.command("disable")(disable)
    partner.command("enable")(enable)
    partner.command("refresh")(refresh)
    partner.command("sessions")(sessions)
    app.add_typer(partner, name="partner")


def add(
    name: Annotated[str, typer.Argument(help="What to call it in this archive.")],
    metadata_url: Annotated[str, typer.Option(help="Where its metadata document is; nothing else is ever asked.")],
    realm: Annotated[str | None, typer.Option(help="Its realm; this server's own unless given.")] = None,
    application: Annotated[str, typer.Option(help="Its application id.")] = LYNC,
    trust: Annotated[TrustLevel, typer.Option(help="For whom it may act.")] = TrustLevel.FULL,
    role: Annotated[list[str] | None, typer.Option(help="A role of its linked account; may be repeated.")] = None,
    deployment: Annotated[Deployment, typer.Option(help="Where it runs.")] = Deployment.ON_PREMISES,
    as_json: JsonOption = False,
) -> None:
    """Add a partner application, or change the one with this id and realm; a disabled one stays so.

    Its metadata is read now.
    """
    from consumers.tokens.partner import PartnerApplication  # noqa: PLC0415  start-up time
    from deploy.settings import load_settings  # noqa: PLC0415
    from schemas.principals import Principal, parse_principal  # noqa: PLC0415

    settings = load_settings()
    principal = Principal(application, realm or settings.exchange.realm)
    if parse_principal(str(principal)) != principal:
        raise typer.BadParameter("application and realm are not the parts of a principal")
    wanted = PartnerApplication(
        name=name,
        principal=principal,
        metadata_url=metadata_url,
        trust=trust,
        roles=LYNC_ROLES if role is None else frozenset(role),
        deployment=deployment,
    )
    _report(asyncio.run(_add(settings, wanted)), as_json)


async def _add(settings: Any, wanted: "PartnerApplication") -> "PartnerApplication":
    from deploy.trust import introduce, trusting  # noqa: PLC0415  start-up time

    async with trusting(settings) as trust:
        return await introduce(trust, wanted)


def list_partners(as_json: JsonOption = False, as_lines: JsonLinesOption = False) -> None:
    """List the partner applications."""
    rows = asyncio.run(_list())
    if not print_rows(rows, as_json=as_json, as_lines=as_lines):
        columns = ("name", "principal", "enabled", "trust", "roles", "metadata_url")
        print_table([column.upper() for column in columns], [[cell(row[column]) for column in columns] for row in rows])


async def _list() -> list[dict[str, Any]]:
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time
    from deploy.trust import trusting  # noqa: PLC0415

    async with trusting(load_settings()) as trust:
        return [_document(partner) for partner in await trust.partners.partners()]


def disable(name: NameArgument, as_json: JsonOption = False) -> None:
    """Stop trusting a partner: once this returns, nothing more is written on its word."""
    _report(asyncio.run(_switch(name, enabled=False)), as_json)


def enable(name: NameArgument, as_json: JsonOption = False) -> None:
    """Trust a partner again; archivers go on where they stopped."""
    _report(asyncio.run(_switch(name, enabled=True)), as_json)


async def _switch(name: str, *, enabled: bool) -> "PartnerApplication":
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time
    from deploy.trust import trusting  # noqa: PLC0415

    async with trusting(load_settings()) as trust:
        await trust.partners.switch((await trust.partner(name)).principal, enabled=enabled)
        return await trust.partner(name)


def refresh(name: NameArgument, as_json: JsonOption = False) -> None:
    """Read a partner's metadata again, and take its keys from there."""
    _report(asyncio.run(_refresh(name)), as_json)


async def _refresh(name: str) -> "PartnerApplication":
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time
    from deploy.trust import trusting  # noqa: PLC0415

    async with trusting(load_settings()) as trust:
        partner = await trust.partner(name)
        return await trust.refresher.refresh(partner.principal, force=True) or partner


def sessions(
    count: Annotated[int, typer.Option("--max", min=1, max=SESSIONS_MAX, help="How many, the newest first.")] = 50,
    as_json: JsonOption = False,
    as_lines: JsonLinesOption = False,
) -> None:
    """List the tokens that were presented, accepted or refused, newest first: ids and names, never a token."""
    rows = [_session(session) for session in asyncio.run(_sessions(count))]
    if not print_rows(rows, as_json=as_json, as_lines=as_lines):
        columns = ("at", "rule", "application", "realm", "user", "token_id")
        print_table([column.upper() for column in columns], [[cell(row[column]) for column in columns] for row in rows])


async def _sessions(count: int) -> Sequence["Session"]:
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time
    from deploy.trust import trusting  # noqa: PLC0415

    async with trusting(load_settings()) as trust:
        return await trust.sessions.latest(count)


def _session(session: "Session") -> dict[str, Any]:
    from schemas.times import format_time  # noqa: PLC0415  start-up time

    times = {"at": format_time(session.at), "expires_at": session.expires_at and format_time(session.expires_at)}
    return {**session._asdict(), **times, "accepted": session.accepted}


def _report(partner: "PartnerApplication", as_json: bool) -> None:
    document = _document(partner)
    if as_json:
        print_json(document)
        return
    for key, value in document.items():
        print_line(f"{key:14}{cell(value)}")


def _document(partner: "PartnerApplication") -> dict[str, Any]:
    return {
        "name": partner.name,
        "principal": str(partner.principal),
        "enabled": partner.enabled,
        "trust": str(partner.trust),
        "roles": sorted(partner.roles),
        "deployment": str(partner.deployment),
        "metadata_url": partner.metadata_url,
        "keys": [key.x5t for key in partner.keys],
    }
