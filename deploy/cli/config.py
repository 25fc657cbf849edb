"""`lync-archiver config`: the settings in force."""

import json
from typing import Any

import typer

from deploy.cli.printing import JsonOption, print_json, print_line


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    config = typer.Typer(help="The settings.", no_args_is_help=True)
    config.command("check")(check)
    app.add_typer(config, name="config")
    config.callback()(_group)


def _group() -> None:
    """The settings."""


def check(as_json: JsonOption = False) -> None:
    """Print the settings in force, secrets redacted."""
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time

    document = load_settings().model_dump(mode="json")
    if as_json:
        print_json(document)
        return
    for name, value in _flat(document):
        print_line(f"{name} = {_value(value)}")


def _value(value: Any) -> str:
    """Return a value as a variable takes it; - where nothing is set, which for a server means the local stack."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)


def _flat(document: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in document.items():
        group = isinstance(value, dict) and not prefix  # within a group it is a setting's own value
        rows += _flat(value, f"{name}.") if group else [(f"{prefix}{name}", value)]
    return rows
