"""`lync-archiver purge`: what policies have deleted from the archive."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.printing import JsonOption, counted, print_json

if TYPE_CHECKING:
    from consumers.purging import Purger, Tally

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Delete nothing, and say what would be deleted.")]

HOURS_MAX = 24 * 366 * 100
"""A century: more is a slip."""


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    purge = typer.Typer(help="Delete from the archive what policies no longer keep.", no_args_is_help=True)
    purge.command("sweep")(sweep)
    purge.command("daily")(daily)
    purge.command("manual")(manual)
    app.add_typer(purge, name="purge")


def sweep(dry_run: DryRunOption = False, as_json: JsonOption = False) -> None:
    """Delete meetings that nobody's policy keeps, a CachePurgingInterval after they ended, where no user sees them."""
    _print(_run(lambda purger: purger.sweep(dry_run=dry_run)), dry_run=dry_run, as_json=as_json)


def daily(
    now: Annotated[bool, typer.Option("--now", help="Whatever the hour is, and though it ran today.")] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Purge by EnablePurging what Lync's archive has, once a day, at PurgeHourOfDay (UTC) or later."""
    _print(_run(lambda purger: purger.daily(at_once=now, dry_run=dry_run)), dry_run=dry_run, as_json=as_json)


def manual(
    older_than_h: Annotated[
        float, typer.Option("--older-than-hours", min=0, max=HOURS_MAX, help="Only what was over so long ago.")
    ],
    exported_only: Annotated[bool, typer.Option("--exported-only", help="Only what was exported, and marked.")] = False,
    copies_max: Annotated[
        int | None, typer.Option("--max", min=1, help="So many copies at most, those that began first first.")
    ] = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Purge what Lync's archive has, whatever EnablePurging says; nothing of mailboxes on hold."""

    def run(purger: "Purger") -> "Awaitable[Tally]":
        return purger.manual(older_than_h, exported_only=exported_only, copies_max=copies_max, dry_run=dry_run)

    _print(_run(run), dry_run=dry_run, as_json=as_json)


def _run(run: "Callable[[Purger], Awaitable[Tally]]") -> "Tally":
    from deploy.logs import configure_logs  # noqa: PLC0415  start-up time

    configure_logs(quiet=True)
    return asyncio.run(_open(run))


async def _open(run: "Callable[[Purger], Awaitable[Tally]]") -> "Tally":
    from deploy.archiving import stopped_by_signals  # noqa: PLC0415  start-up time
    from deploy.purging import purging  # noqa: PLC0415
    from deploy.settings import load_settings  # noqa: PLC0415

    stop = asyncio.Event()
    with stopped_by_signals(stop):
        async with purging(load_settings(), stop) as purger:
            return await run(purger)


def _print(tally: "Tally", *, dry_run: bool, as_json: bool) -> None:
    document = tally.document()
    if as_json:
        print_json(document)
        return
    kept = ", ".join(f"{count} {verdict}" for verdict, count in document["kept"].items())
    would = "would be " if dry_run else ""
    typer.echo(
        f"{counted(tally.looked, 'conversation')} looked at: {counted(tally.purged, 'copy', 'copies')} {would}purged, "
        f"{counted(tally.removed, 'conversation')} {would}removed" + (f"; kept: {kept}" if kept else "")
    )
