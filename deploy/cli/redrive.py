"""`lync-archiver quarantine redrive` and `discard`: what becomes of quarantined records."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.printing import JsonOption, print_json

if TYPE_CHECKING:
    from consumers.redriving import Tally
    from schemas.errors import Cause

CauseOption = Annotated[str | None, typer.Option(help="Only records with this cause.")]


def redrive(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids: topic/partition/offset.")] = None,
    cause: CauseOption = None,
    every: Annotated[
        bool, typer.Option("--all", help="Everything that is quarantined, as without IDs and --cause.")
    ] = False,
    replacing: Annotated[
        Path | None,
        typer.Option(
            "--with",
            exists=True,
            dir_okay=False,
            help="A recording: a line at a quarantined record's place is taken instead of it.",
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Records of one transaction at most.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Decode and fold quarantined records again, oldest first; what cannot be archived still stays where it is."""
    from consumers.redriving import Selection  # noqa: PLC0415  start-up time
    from deploy.redriving import redrive as run  # noqa: PLC0415
    from deploy.settings import load_settings  # noqa: PLC0415
    from producers.recording import Recording  # noqa: PLC0415

    if every and (ids or cause):
        raise typer.BadParameter("--all is everything that is quarantined; give it without IDs and --cause")
    selection = Selection(tuple(ids or ()), known_cause(cause))
    records = () if replacing is None else Recording(replacing).read()
    with _watching() as watch:
        tally = asyncio.run(run(load_settings(), selection, records, batch, watch))
    if as_json:
        print_json(asdict(tally))
    else:
        typer.echo(
            f"{tally.archived} archived, {tally.duplicate} duplicate, {tally.quarantined} still quarantined, "
            f"{tally.skipped} skipped; {tally.replaced} of them with other bytes"
        )


def discard(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids: topic/partition/offset.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the record.")],
    as_json: JsonOption = False,
) -> None:
    """Mark quarantined records as ones that will never be archived; nothing is deleted, and nothing takes it back."""
    from consumers.quarantine import REASON_CHARS_MAX  # noqa: PLC0415  start-up time
    from deploy.redriving import discard as run  # noqa: PLC0415
    from deploy.settings import load_settings  # noqa: PLC0415

    if not 0 < len(reason.strip()) <= REASON_CHARS_MAX:
        raise typer.BadParameter(f"--reason takes 1 to {REASON_CHARS_MAX} characters")
    discarded = asyncio.run(run(load_settings(), ids, reason))
    if as_json:
        print_json({"discarded": discarded})
    else:
        typer.echo(f"{discarded} discarded")


def known_cause(cause: str | None) -> "Cause | None":
    """Return the cause of this name, or None for none. Raises BadParameter for a name that no cause has."""
    from schemas.errors import Cause  # noqa: PLC0415  start-up time

    if cause is not None and cause not in set(Cause):
        raise typer.BadParameter(f"there is no cause {cause}; there are {', '.join(Cause)}")
    return None if cause is None else Cause(cause)


@contextmanager
def _watching() -> "Iterator[Callable[[Tally], None]]":
    """Show how many records were tried, on a terminal only; standard output stays clean."""
    if not sys.stderr.isatty():
        yield lambda _tally: None
        return
    from rich.console import Console  # noqa: PLC0415  start-up time
    from rich.progress import Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("redriving {task.completed:,.0f} records"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("redriving", total=None)
        yield lambda tally: progress.update(task, completed=tally.archived + tally.duplicate + tally.quarantined)
