"""`lync-archiver rebuild`: another archive, from a recording or from Kafka."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.digest import print_digest
from deploy.cli.printing import JsonOption, counted, print_json

if TYPE_CHECKING:
    from deploy.rebuilding import Rebuilt
    from deploy.settings import Settings

KAFKA = "kafka"
"""What `--from` takes beside a file; a file of that name is `./kafka`."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("rebuild")(rebuild)


def rebuild(
    source: Annotated[str, typer.Option("--from", metavar="RECORDING|kafka", help="A recording, or all of Kafka.")],
    into: Annotated[str, typer.Option("--into", metavar="DB", help="The database to make the archive in, empty.")],
    batch: Annotated[int | None, typer.Option(min=1, max=10_000, help="Records of one batch at most.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a rebuild that was stopped or killed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make another archive, in a database of its own, and print its digest; the archive in force stays as it is."""
    from deploy.logs import configure_logs  # noqa: PLC0415  start-up time
    from deploy.settings import database_named, load_settings  # noqa: PLC0415

    file = None if source == KAFKA else Path(source)
    if file is not None and not file.is_file():
        raise typer.BadParameter(f"--from takes a recording or {KAFKA}; {source} is no file")
    settings = load_settings() if batch is None else load_settings(archive={"batch": batch})
    configure_logs()
    rebuilt = asyncio.run(_rebuild(settings, file, database_named(into), resume))
    counts = rebuilt.counts
    if as_json:
        document = {"in": counts.total, **counts._asdict(), "other_topics": rebuilt.others}
        print_json(document | asdict(rebuilt.digest))
        return
    typer.echo(
        f"{counted(counts.total, 'record')}: {counts.archived} archived, {counts.duplicate} duplicate, "
        f"{counts.quarantined} quarantined; {rebuilt.others} of other topics"
    )
    print_digest(rebuilt.digest)


async def _rebuild(settings: "Settings", file: Path | None, into: str, resume: bool) -> "Rebuilt":
    from deploy.archiving import stopped_by_signals  # noqa: PLC0415  start-up time
    from deploy.rebuilding import rebuild as run  # noqa: PLC0415

    stop = asyncio.Event()
    with stopped_by_signals(stop):
        return await run(settings, file, into, resume=resume, stop=stop)
