"""`lync-archiver quarantine`: records that could not be archived, with their cause."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.printing import JsonLinesOption, JsonOption, print_json, print_line, print_table
from deploy.cli.redrive import CauseOption, discard, known_cause, redrive

if TYPE_CHECKING:
    from datetime import datetime

    from consumers.quarantine import Handling, QuarantineEntry, State
    from consumers.reading import QuarantineQuery

ALL = "all"
"""What stands for every state."""


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    quarantine = typer.Typer(help="Records that could not be archived.", no_args_is_help=True)
    quarantine.command("list")(list_entries)
    quarantine.command("show")(show)
    quarantine.command("redrive")(redrive)
    quarantine.command("discard")(discard)
    app.add_typer(quarantine, name="quarantine")


def list_entries(
    cause: CauseOption = None,
    state: Annotated[str, typer.Option(help="quarantined, redriven, discarded, or all.")] = "quarantined",
    since: Annotated[str | None, typer.Option(help="Only what came there then or later (RFC 3339).")] = None,
    until: Annotated[str | None, typer.Option(help="Only what came there before then (RFC 3339).")] = None,
    as_json: JsonOption = False,
    as_lines: JsonLinesOption = False,
) -> None:
    """List quarantined records, newest first, without their content."""
    from consumers.reading import QuarantineQuery  # noqa: PLC0415  start-up time

    query = QuarantineQuery(known_cause(cause), _known_state(state), _moment(since), _moment(until))
    asyncio.run(_list(query, as_json, as_lines))


def _known_state(state: str) -> "State | None":
    from consumers.quarantine import State  # noqa: PLC0415  start-up time

    if state not in {*State, ALL}:
        raise typer.BadParameter(f"there is no state {state}; there are {', '.join(State)}, and {ALL} for every one")
    return None if state == ALL else State(state)


def _moment(text: str | None) -> "datetime | None":
    from schemas.errors import MalformedRecord  # noqa: PLC0415  start-up time
    from schemas.times import parse_time  # noqa: PLC0415

    try:
        return None if text is None else parse_time(text)[1]
    except MalformedRecord as error:
        raise typer.BadParameter(f"{text} cannot be used: {error.detail}") from error


async def _list(query: "QuarantineQuery", as_json: bool, as_lines: bool) -> None:
    from deploy.reading import reading  # noqa: PLC0415  start-up time

    found: list[dict[str, Any]] = []
    async with reading() as reader:
        async for entry in reader.quarantine(query):
            if as_lines:
                print_json(_summary(entry))
            else:
                found.append(_summary(entry))
    if as_json:
        print_json(found)
    elif not as_lines:
        rows = [(r["id"], r["state"], r["tries"], r["cause"], r["at"], _reason(r) or r["detail"]) for r in found]
        print_table(("ID", "STATE", "TRIES", "CAUSE", "AT", "DETAIL"), rows)


def _reason(row: dict[str, Any]) -> str | None:
    reason: str | None = row["handled"] and row["handled"]["reason"]
    return reason


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
    for key in ("id", "state", "tries", "cause", "detail", "at"):
        print_line(f"{key:11}{document[key]}")
    for key, value in (document["handled"] or {}).items():
        if value is not None:
            print_line(f"handled {key} {value}")
    for key, value in document["record"].items():
        print_line(f"{key:11}{value!s:.2000}")


def _summary(found: "QuarantineEntry") -> dict[str, Any]:
    from schemas.times import format_time  # noqa: PLC0415  start-up time

    record = found.entry.record
    return {
        "id": found.id,
        "state": str(found.state),
        "tries": found.tries,
        "cause": str(found.entry.cause),
        "detail": found.entry.detail,
        "at": format_time(found.quarantined_at),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "bytes": len(record.value or b""),
        "handled": found.handled and _handling(found.handled),
    }


def _handling(handled: "Handling") -> dict[str, Any]:
    from schemas.times import format_time  # noqa: PLC0415  start-up time

    return {
        "at": format_time(handled.at),
        "application": handled.principal.application,
        "realm": handled.principal.realm,
        "token": handled.token_id,
        "outcome": handled.outcome and str(handled.outcome),
        "reason": handled.reason,
        "replacement": handled.replacement and handled.replacement.hex(),
    }
