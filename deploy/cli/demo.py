"""`lync-archiver demo`: the whole way in under a minute."""

import asyncio
from typing import TYPE_CHECKING

import typer

from deploy.cli.printing import JsonOption, counted, print_json, print_line, print_table
from deploy.cli.transcript import print_transcript
from deploy.cli.verify import print_verdict

if TYPE_CHECKING:
    from deploy.demo import Shown

MAILBOXES_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("demo")(demo)


def demo(as_json: JsonOption = False) -> None:
    """Simulate a small organisation live, archive as it happens, show folders and one transcript, verify."""
    from deploy.demo import demonstrate  # noqa: PLC0415  start-up time
    from deploy.logs import configure_logs  # noqa: PLC0415
    from deploy.settings import load_settings  # noqa: PLC0415

    configure_logs(quiet=True)
    shown = asyncio.run(demonstrate(load_settings()))
    if as_json:
        print_json(shown.verdict.document())
    else:
        _print(shown)
    if not shown.verdict.holds:
        raise typer.Exit(1)


def _print(shown: "Shown") -> None:
    rows = [
        (mailbox.user, mailbox.name, *(folder.items for folder in folders if folder.parent is not None))
        for mailbox, folders in shown.mailboxes
    ]
    print_table(("MAILBOX", "NAME", "CONVERSATION HISTORY", "WEB CONFERENCING HISTORY"), rows[:MAILBOXES_SHOWN])
    if len(rows) > MAILBOXES_SHOWN:
        print_line(f"and {counted(len(rows) - MAILBOXES_SHOWN, 'mailbox', 'mailboxes')} more")
    print_line("")
    if shown.transcript is not None:
        print_transcript(shown.transcript)
        print_line("")
    rate = shown.counts.total / shown.archive_s
    print_line(f"{shown.published} events published live in {shown.publish_s:.1f} s")
    print_line(
        f"{counted(shown.counts.total, 'record')} ({rate:.0f} a second): {shown.counts.archived} archived, "
        f"{shown.counts.duplicate} duplicate, {shown.counts.quarantined} quarantined"
    )
    print_verdict(shown.verdict)
