"""`lync-archiver verify`: a recording against the mailboxes."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from deploy.cli.printing import JsonOption, print_json, print_line, printable

if TYPE_CHECKING:
    from deploy.verification.comparison import Difference, Verdict

SHOWN_MAX: Final = 10_000
"""Differences of one run: more than anybody reads."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("verify")(verify)


def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A recording.")],
    show: Annotated[
        int, typer.Option("--differences", min=0, max=SHOWN_MAX, help="Show so many differences, on standard error.")
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Compare a recording with the mailboxes by a model of its own; exit 1 where they differ."""
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time
    from deploy.verification.report import report  # noqa: PLC0415
    from deploy.verification.run import verify as run  # noqa: PLC0415
    from producers.recording import Recording  # noqa: PLC0415

    found: list[Difference] = []
    note = found.append if show else lambda _: None
    verdict = asyncio.run(run(Recording(file).read(), load_settings(), note))
    for line in report(found, show):
        typer.echo(printable(line), err=True)
    if as_json:
        print_json(verdict.document())
    else:
        print_verdict(verdict)
    if not verdict.holds:
        raise typer.Exit(1)


def print_verdict(verdict: "Verdict") -> None:
    """Print the counts, a line each."""
    for name, value in verdict.document().items():
        print_line(f"{name:12}{value}")
