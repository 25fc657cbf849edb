"""`lync-archiver mailbox`: the reading side."""

import asyncio
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.printing import JsonLinesOption, JsonOption, counted, print_json, print_rows, print_table
from deploy.cli.transcript import print_transcript

UserArgument = Annotated[str, typer.Argument(help="SIP address, with or without sip:.")]
PAGE_ITEMS = 50
"""What fits on a few screens."""

PAGE_ITEMS_MAX = 1000
"""As the reading side has it; a command says so before it loads that."""


class ExportFormat(StrEnum):
    """The formats that an export can have."""

    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    mailbox = typer.Typer(help="Read the mailboxes, as their owners do.", no_args_is_help=True)
    mailbox.command("list")(list_mailboxes)
    mailbox.command("folders")(folders)
    mailbox.command("items")(items)
    mailbox.command("show")(show)
    mailbox.command("export")(export)
    mailbox.command("delete")(delete)
    app.add_typer(mailbox, name="mailbox")


def list_mailboxes(as_json: JsonOption = False, as_lines: JsonLinesOption = False) -> None:
    """List the mailboxes, by SIP address."""
    asyncio.run(_list_mailboxes(as_json, as_lines))


async def _list_mailboxes(as_json: bool, as_lines: bool) -> None:
    from deploy.reading import reading  # noqa: PLC0415  start-up time

    found: list[dict[str, Any]] = []
    async with reading() as reader:
        async for mailbox in reader.mailboxes():
            row = {"user": mailbox.user, "name": mailbox.name, "items": mailbox.items}
            if as_lines:
                print_json(row)
            else:
                found.append(row)
    if as_json:
        print_json(found)
    elif not as_lines:
        print_table(("USER", "NAME", "ITEMS"), [tuple(row.values()) for row in found])


def folders(user: UserArgument, as_json: JsonOption = False, as_lines: JsonLinesOption = False) -> None:
    """Show a mailbox's folders and how many items lie in each."""
    asyncio.run(_folders(user, as_json, as_lines))


async def _folders(user: str, as_json: bool, as_lines: bool) -> None:
    from deploy.reading import reading, sip_address  # noqa: PLC0415  start-up time

    async with reading() as reader:
        found = await reader.folders(sip_address(user))
    rows = [{"id": str(f.id), "name": f.name, "parent": f.parent and str(f.parent), "items": f.items} for f in found]
    if not print_rows(rows, as_json=as_json, as_lines=as_lines):
        print_table(("FOLDER", "NAME", "ITEMS"), [(row["id"], row["name"], row["items"]) for row in rows])


def items(
    user: UserArgument,
    folder: Annotated[str | None, typer.Option(help="A folder's id or display name.")] = None,
    after: Annotated[str | None, typer.Option(help="Begin behind the item with this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=PAGE_ITEMS_MAX, help="Items of this page.")] = PAGE_ITEMS,
    as_json: JsonOption = False,
    as_lines: JsonLinesOption = False,
) -> None:
    """List one page of a mailbox's items, by start then id."""
    rows = asyncio.run(_items(user, folder, after, limit))
    if not print_rows(rows, as_json=as_json, as_lines=as_lines):
        columns = ("id", "started_at", "state", "status", "folder", "subject")
        print_table(
            ("ITEM", "STARTED", "STATE", "STATUS", "FOLDER", "SUBJECT"),
            [tuple(row[name] or "" for name in columns) for row in rows],
        )


async def _items(user: str, folder: str | None, after: str | None, limit: int) -> list[dict[str, Any]]:
    from consumers.folder import folder_id  # noqa: PLC0415  start-up time
    from consumers.transcript import header, idle_state  # noqa: PLC0415
    from deploy.export import header_document  # noqa: PLC0415
    from deploy.reading import reading, sip_address  # noqa: PLC0415

    chosen = None if folder is None else folder_id(folder)
    async with reading() as reader:
        page = await reader.items(sip_address(user), chosen, after, limit)
    return [
        header_document(header(listed.item, listed.conversation))
        | {"state": idle_state(listed.conversation, listed.watermark)}
        for listed in page
    ]


def show(
    user: UserArgument, item: Annotated[str, typer.Argument(help="The item's id.")], as_json: JsonOption = False
) -> None:
    """Show one item as its owner reads it."""
    asyncio.run(_show(user, item, as_json))


async def _show(user: str, item: str, as_json: bool) -> None:
    from deploy.export import item_document  # noqa: PLC0415  start-up time
    from deploy.reading import reading, sip_address  # noqa: PLC0415

    async with reading() as reader:
        document = await item_document(reader, await reader.item(sip_address(user), item))
    if as_json:
        print_json(document)
    else:
        print_transcript(document)


def delete(
    user: UserArgument, item: Annotated[str, typer.Argument(help="The item's id.")], as_json: JsonOption = False
) -> None:
    """Delete one item as its owner does: no reading command shows it any more; the archived copy is not touched."""
    from deploy.mailboxes import delete as run  # noqa: PLC0415  start-up time
    from deploy.reading import sip_address  # noqa: PLC0415
    from deploy.settings import load_settings  # noqa: PLC0415

    asyncio.run(run(load_settings(), sip_address(user), item))
    if as_json:
        print_json({"user": sip_address(user), "deleted": item})
    else:
        typer.echo(f"item {item} is deleted")


def export(
    users: Annotated[list[str], typer.Argument(metavar="[USER] OUT", help="A user and a file; the file with --all.")],
    every: Annotated[bool, typer.Option("--all", help="Export every mailbox, one a line.")] = False,
    form: Annotated[ExportFormat, typer.Option("--format", help="The format of the file.")] = ExportFormat.JSON,
    as_json: JsonOption = False,
) -> None:
    """Write a mailbox's items, or every mailbox, to a file."""
    if len(users) != (1 if every else 2):
        raise typer.BadParameter("give USER and OUT, or --all and OUT")
    count = asyncio.run(_export(None if every else users[0], Path(users[-1])))
    if as_json:
        print_json({"file": users[-1], "items": count})
    else:
        typer.echo(f"{counted(count, 'item')} written to {users[-1]}")


async def _export(user: str | None, out: Path) -> int:
    from deploy.export import mailbox_documents, writing  # noqa: PLC0415  start-up time
    from deploy.reading import reading, sip_address  # noqa: PLC0415

    count = 0
    async with reading() as reader:
        with writing(out) as write:
            if user is not None:
                await reader.folders(sip_address(user))  # says so where there is no such mailbox
                write("[")
                async for document in mailbox_documents(reader, sip_address(user)):
                    write(("," if count else "") + "\n" + json.dumps(document, ensure_ascii=False))
                    count += 1
                write("\n]\n")
                return count
            async for mailbox in reader.mailboxes():
                head = json.dumps({"user": mailbox.user, "name": mailbox.name}, ensure_ascii=False)
                write(f'{head[:-1]}, "items": [')
                first = True
                async for document in mailbox_documents(reader, mailbox.user):
                    write(("" if first else ", ") + json.dumps(document, ensure_ascii=False))
                    first = False
                    count += 1
                write("]}\n")
    return count
