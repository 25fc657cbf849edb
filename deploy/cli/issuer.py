"""`lync-archiver issuer`: the Lync side's token issuer."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.printing import JsonOption, print_json, print_line

FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="Its keys and clients; the local stack's unless given.")
]

_MARGIN_S = 60.0


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    issuer = typer.Typer(help="The Lync side's token issuer; `stack up` runs one.", no_args_is_help=True)
    issuer.command("serve")(serve)
    issuer.command("roll")(roll)
    app.add_typer(issuer, name="issuer")


def serve(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Where it listens.")],
    folder: FolderOption = None,
    host: Annotated[str, typer.Option(help="Its address; TLS is needed unless it is on loopback.")] = "127.0.0.1",
    realm: Annotated[str | None, typer.Option(help="The realm that it issues for; the settings' unless given.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM, with the chain.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM.")] = None,
) -> None:
    """Serve metadata document, JWKS and tokens until stopped by SIGTERM or SIGINT."""
    from deploy.logs import configure_logs  # noqa: PLC0415  start-up time
    from deploy.settings import issuer_folder, load_settings  # noqa: PLC0415
    from deploy.token_service import serve as run  # noqa: PLC0415

    settings = load_settings()
    configure_logs()
    run(
        folder=folder or issuer_folder(settings),
        host=host,
        port=port,
        realm=realm or settings.issuer.realm,
        life_s=settings.issuer.life_s,
        certificate=tls_certificate,
        key=tls_key,
    )


def roll(
    folder: FolderOption = None,
    lead_s: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds until the new key signs; 24 h unless given, and partners may keep less."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a new key now, published at once, that signs after the lead time; the current one stays published then."""
    from datetime import timedelta  # noqa: PLC0415  start-up time

    from deploy.settings import issuer_folder, load_settings  # noqa: PLC0415
    from producers.tokens.keyring import LEAD_S, Keyring  # noqa: PLC0415
    from schemas.clock import SystemClock  # noqa: PLC0415
    from schemas.times import format_time  # noqa: PLC0415

    settings, clock = load_settings(), SystemClock()
    lead = LEAD_S if lead_s is None else lead_s
    keyring = Keyring(folder or issuer_folder(settings), settings.issuer.realm, clock)
    if not keyring.made:
        raise typer.BadParameter("there is no issuer in that folder", param_hint="--folder")
    # The margin is for the time that passes between here and there, below zero too where there is no lead at all.
    keys = keyring.roll(clock.now() + timedelta(seconds=lead), lead_s=lead - _MARGIN_S)
    document = {
        "current": keys.current.x5t,
        "previous": keys.previous and keys.previous.x5t,
        "next": keys.following and keys.following.x5t,
        "effective_at": keys.effective_at and format_time(keys.effective_at),
    }
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        print_line(f"{name:14}{value or 'none'}")
