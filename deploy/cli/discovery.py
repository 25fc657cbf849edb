"""`lync-archiver discovery`: what auditors read of the copies that no user sees."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.printing import JsonLinesOption, JsonOption, counted, print_json, print_rows, print_table

UserArgument = Annotated[str | None, typer.Argument(help="A SIP address; everybody unless given.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    discovery = typer.Typer(help="Read the archived copies, which no user sees.", no_args_is_help=True)
    discovery.command("list")(list_copies)
    discovery.command("export")(export)
    app.add_typer(discovery, name="discovery")


def list_copies(user: UserArgument = None, as_json: JsonOption = False, as_lines: JsonLinesOption = False) -> None:
    """List the archived copies of a mailbox, or all, and where each is archived."""
    rows = asyncio.run(_rows(user))
    if not print_rows(rows, as_json=as_json, as_lines=as_lines):
        columns = ("mailbox", "target", "started_at", "conversation", "subject")
        print_table([column.upper() for column in columns], [[row[column] or "" for column in columns] for row in rows])


async def _rows(user: str | None) -> list[dict[str, Any]]:
    from deploy.discovery import discovering  # noqa: PLC0415  start-up time
    from deploy.reading import sip_address  # noqa: PLC0415
    from deploy.settings import load_settings  # noqa: PLC0415

    async with discovering(load_settings()) as discovery:
        return [
            {
                "id": copy.item.id,
                "mailbox": copy.item.mailbox,
                "folder": str(copy.item.folder),
                "target": str(copy.target),
                "conversation": copy.item.conversation,
                "subject": copy.item.subject,
                "started_at": copy.item.started_at,
            }
            async for copy in discovery.copies(None if user is None else sip_address(user))
        ]


def export(
    out: Annotated[Path, typer.Argument(help="The file, one copy a line.")],
    user: UserArgument = None,
    mark_exported: Annotated[
        bool, typer.Option("--mark-exported", help="Mark them as exported, once the file is whole.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write archived copies with their entries to a file, in the format of `mailbox export`."""
    count, marked = asyncio.run(_export(out, user, mark_exported))
    if as_json:
        print_json({"file": str(out), "copies": count, **({"marked": marked} if mark_exported else {})})
    else:
        typer.echo(
            f"{counted(count, 'copy', 'copies')} written to {out}"
            + (f", {marked} marked as exported" if mark_exported else "")
        )


async def _export(out: Path, user: str | None, mark: bool) -> tuple[int, int]:
    from deploy.discovery import copy_documents, discovering, mark_exported  # noqa: PLC0415  start-up time
    from deploy.export import writing  # noqa: PLC0415
    from deploy.reading import sip_address  # noqa: PLC0415
    from deploy.settings import load_settings  # noqa: PLC0415

    count, settings = 0, load_settings()
    exported: dict[str, int] = {}
    async with discovering(settings) as discovery:
        with writing(out) as write:
            async for document, segments in copy_documents(discovery, None if user is None else sip_address(user)):
                write(f"{json.dumps(document, ensure_ascii=False)}\n")
                count += 1
                if mark:
                    exported[document["id"]] = segments
    return count, await mark_exported(settings, exported) if mark else 0
