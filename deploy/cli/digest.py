"""`lync-archiver digest`: one number for everything that the mailboxes of an archive show."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.printing import JsonOption, print_json, print_line

if TYPE_CHECKING:
    from deploy.digest import Digest


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("digest")(digest)


def digest(
    database: Annotated[
        str | None, typer.Argument(metavar="[DB]", help="Another archive than the one in force.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print SHA-256 over everything that the mailboxes show; for an archive that nobody writes meanwhile."""
    found = asyncio.run(_digest(database))
    if as_json:
        print_json(asdict(found))
    else:
        print_digest(found)


def print_digest(found: "Digest") -> None:
    """Print the counts and the digest, a line each."""
    for name, value in asdict(found).items():
        print_line(f"{name:12}{value}")


async def _digest(name: str | None) -> "Digest":
    from deploy.digest import digest as run  # noqa: PLC0415  start-up time
    from deploy.reading import reading_archive  # noqa: PLC0415
    from deploy.settings import database_named, load_settings  # noqa: PLC0415

    chosen = None if name is None else database_named(name)
    async with reading_archive(load_settings(), chosen) as reader:
        return await run(reader)
