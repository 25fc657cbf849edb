"""`lync-archiver stack`: the local Kafka and mongod, as plain processes."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.printing import JsonOption, print_json

if TYPE_CHECKING:
    from deploy.settings import Settings
    from deploy.stack.stack import Stack, UpOutcome
    from deploy.stack.state import Status

DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder of the stack's data, logs and state.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    stack = typer.Typer(help="The local Kafka and MongoDB, as plain processes.", no_args_is_help=True)
    stack.command("up")(up)
    stack.command("status")(status)
    stack.command("down")(down)
    app.add_typer(stack, name="stack")


def up(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Start the local stack, or what is missing of it, and create the topics."""
    from deploy.stack.local import lasting_stack  # noqa: PLC0415  start-up time
    from deploy.stack.stack import UpOutcome  # noqa: PLC0415

    settings = _settings(data)
    stack = lasting_stack(settings)
    with _spinner("starting Kafka, mongod and the token issuer"):
        outcome = asyncio.run(_up(stack, settings))
    said = {
        UpOutcome.STARTED: "The local stack is up",
        UpOutcome.HEALED: "The local stack is up again",
        UpOutcome.ALREADY_UP: "The local stack is already up",
    }
    now = stack.status()
    if as_json:
        print_json(_document(now) | {"outcome": outcome.name.lower().replace("_", "-")})
        return
    typer.echo(f"{said[outcome]}: Kafka {now.kafka}, MongoDB {now.mongodb}, tokens {now.issuer}, data in {now.data}")


async def _up(stack: "Stack", settings: "Settings") -> "UpOutcome":
    """The archive of the settings trusts the stack's issuer, unless somebody decided about it before."""
    from deploy.trust import introduce_issuer  # noqa: PLC0415  start-up time

    outcome = await stack.up()
    await introduce_issuer(settings)
    return outcome


def status(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Say what of the local stack runs, and where."""
    from deploy.stack.state import read_status  # noqa: PLC0415  start-up time

    now = read_status(_settings(data).stack.data)
    if as_json:
        print_json(_document(now))
        return
    typer.echo(f"local stack  {'running' if now.running else 'not running'}")
    typer.echo(f"Kafka        {now.kafka or 'not running'}")
    typer.echo(f"MongoDB      {now.mongodb or 'not running'}")
    typer.echo(f"issuer       {now.issuer or 'not running'}")
    typer.echo(f"data         {now.data}")


def down(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Stop the local stack; its data stays."""
    from deploy.stack.local import lasting_stack  # noqa: PLC0415  start-up time

    stack = lasting_stack(_settings(data))
    with _spinner("stopping them"):
        stopped = asyncio.run(stack.down())
    if as_json:
        print_json(_document(stack.status()) | {"stopped": stopped})
        return
    typer.echo("The local stack is stopped" if stopped else "The local stack was not running")


def _document(now: "Status") -> dict[str, Any]:
    return {
        "running": now.running,
        "kafka": now.kafka,
        "mongodb": now.mongodb,
        "issuer": now.issuer,
        "data": str(now.data),
    }


def _settings(data: Path | None) -> Any:
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time

    return load_settings() if data is None else load_settings(stack={"data": data})


@contextmanager
def _spinner(text: str) -> Iterator[None]:
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415  start-up time

    with Console(stderr=True).status(text):
        yield
