"""`lync-archiver archive`: the consumer."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.printing import JsonOption, counted, print_json

if TYPE_CHECKING:
    from consumers.batch import Counts
    from deploy.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("archive")(archive)


def archive(
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="End at the end offsets seen at the start.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes of the group to run.")] = 1,
    batch: Annotated[int | None, typer.Option(min=1, max=10_000, help="Records of one batch at most.")] = None,
    as_json: JsonOption = False,
    worker: Annotated[int | None, typer.Option(hidden=True, help="Which of several processes this is.")] = None,
) -> None:
    """Archive what is in Kafka into the mailboxes, until stopped by SIGTERM or SIGINT."""
    from deploy.logs import configure_logs  # noqa: PLC0415  start-up time
    from deploy.settings import HttpSettings, load_settings  # noqa: PLC0415

    settings = load_settings() if batch is None else load_settings(archive={"batch": batch})
    if worker and settings.http.port:
        settings = settings.model_copy(
            update={"http": HttpSettings(host=settings.http.host, port=settings.http.port + worker)}
        )
    configure_logs()
    counts = asyncio.run(_archive(settings, until_caught_up, workers, batch, worker))
    if as_json:
        print_json({"in": counts.total, **counts._asdict()})
    else:
        typer.echo(
            f"{counted(counts.total, 'record')}: {counts.archived} archived, {counts.duplicate} duplicate, "
            f"{counts.quarantined} quarantined"
        )


async def _archive(
    settings: "Settings", until_caught_up: bool, workers: int, batch: int | None, worker: int | None
) -> "Counts":
    from deploy.archiving import archive as run  # noqa: PLC0415  start-up time
    from deploy.archiving import stop_at_end_of_input, stopped_by_signals  # noqa: PLC0415
    from deploy.workers import archive_in_workers  # noqa: PLC0415

    stop = asyncio.Event()
    with stopped_by_signals(stop):
        if workers == 1:
            if worker is not None:
                stop_at_end_of_input(stop)
            return await run(settings, until_caught_up=until_caught_up, stop=stop)
        arguments = ["--until-caught-up"] if until_caught_up else []
        arguments += [] if batch is None else ["--batch", str(batch)]
        return await archive_in_workers(workers, arguments, stop)
