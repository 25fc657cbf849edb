"""`lync-archiver diff`: where what two archives show differs."""

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import aclosing
from typing import Annotated, Any

import typer

from deploy.cli.printing import JsonLinesOption, JsonOption, print_json, print_line

MAX = 1000
"""Differences that are shown unasked."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("diff")(diff)


def diff(
    a: Annotated[str, typer.Argument(metavar="DB_A", help="The database of an archive.")],
    b: Annotated[str, typer.Argument(metavar="DB_B", help="The database of another one.")],
    most: Annotated[int, typer.Option("--max", min=1, help="End after so many differences.")] = MAX,
    as_json: JsonOption = False,
    as_lines: JsonLinesOption = False,
) -> None:
    """Name mailboxes, items and entries in which two archives differ, never a text; exit 1 where they do."""
    found: list[dict[str, Any]] = []
    show = found.append if as_json else print_json if as_lines else _print
    count, more = asyncio.run(_diff(a, b, most, show))
    if as_json:
        print_json({"equal": not count, "differences": found, "more": more})
    elif not count and not as_lines:
        print_line("equal")
    if more:
        sys.stderr.write(f"there are more than {most} differences; --max shows more\n")
    if count:
        raise typer.Exit(1)


async def _diff(a: str, b: str, most: int, show: Callable[[dict[str, Any]], None]) -> tuple[int, bool]:
    """Show up to so many differences; return how many were shown, and whether there are more."""
    from deploy.difference import differences  # noqa: PLC0415  start-up time
    from deploy.reading import reading_archive  # noqa: PLC0415
    from deploy.settings import database_named, load_settings  # noqa: PLC0415

    settings = load_settings()
    count = 0
    async with (
        reading_archive(settings, database_named(a)) as one,
        reading_archive(settings, database_named(b)) as two,
        aclosing(differences(one, two)) as found,
    ):
        async for difference in found:
            if count == most:
                return count, True
            show(difference.document())
            count += 1
    return count, False


def _print(document: dict[str, Any]) -> None:
    level, what = document.pop("level"), document.pop("what")
    print_line(f"{level} {what} " + " ".join(f"{name}={json.dumps(value)}" for name, value in document.items()))
