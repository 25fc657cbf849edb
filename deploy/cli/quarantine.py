"""`lync-archiver quarantine`: records that could not be archived, with their cause."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.printing import JsonLinesOption, JsonOption, print_json, print_line, print_table

if TYPE_CHECKING:
    from consumers.quarantine import QuarantineEntry


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    quarantine = typer.Typer(help="Records that could not be archived.", no_args_is_help=True)
    quarantine.command("list")(list_entries)
    quarantine.command("show")(show)
    app.add_typer(quarantine, name="quarantine")


def list_entries(
    cause: Annotated[str | None, typer.Option(help="Only records with this cause.")] = None,
    as_json: JsonOption = False,
    as_lines: JsonLinesOption = False,
) -> None:
    """List quarantined records, newest first, without their content."""
    asyncio.run(_list(cause, as_json, as_lines))


async def _list(cause: str | None, as_json: bool, as_lines: bool) -> None:
    from consumers.reading import QuarantineQuery  # noqa: PLC0415  start-up time
    from deploy.reading import reading  # noqa: PLC0415
    from schemas.errors import Cause  # noqa: PLC0415

    if cause is not None and cause not in set(Cause):
        raise typer.BadParameter(f"there is no cause {cause}; there are {', '.join(Cause)}")
    found: list[dict[str, Any]] = []
    async with reading() as reader:
        async for entry in reader.quarantine(QuarantineQuery(None if cause is None else Cause(cause))):
            if as_lines:
                print_json(_summary(entry))
            else:
                found.append(_summary(entry))
    if as_json:
        print_json(found)
    elif not as_lines:
        print_table(("ID", "CAUSE", "AT", "DETAIL"), [(r["id"], r["cause"], r["at"], r["detail"]) for r in found])


def show(
    entry: Annotated[str, typer.Argument(help="The id: topic/partition/offset.")], as_json: JsonOption = False
) -> None:
    """Show one quarantined record whole, in the form of a recording's line."""
    asyncio.run(_show(entry, as_json))


async def _show(name: str, as_json: bool) -> None:
    from deploy.reading import reading  # noqa: PLC0415  start-up time
    from producers.recording_line import to_line  # noqa: PLC0415

    async with reading() as reader:
        found = await reader.quarantined(name)
    document = _summary(found) | {"record": json.loads(to_line(found.entry.record))}
    if as_json:
        print_json(document)
        return
    for key in ("id", "cause", "detail", "at"):
        print_line(f"{key:8}{document[key]}")
    for key, value in document["record"].items():
        print_line(f"{key:8}{value!s:.2000}")


def _summary(found: "QuarantineEntry") -> dict[str, Any]:
    from schemas.times import format_time  # noqa: PLC0415  start-up time

    record = found.entry.record
    return {
        "id": found.id,
        "cause": str(found.entry.cause),
        "detail": found.entry.detail,
        "at": format_time(found.quarantined_at),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "bytes": len(record.value or b""),
    }
