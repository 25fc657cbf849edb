"""`lync-archiver recording`: what recordings hold, and recordings made of others."""

from typing import TYPE_CHECKING

import typer

from deploy.cli.printing import JsonOption, print_json, print_line
from deploy.cli.produce import InputArgument

if TYPE_CHECKING:
    from producers.survey import Survey


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    recording = typer.Typer(help="Look at recordings, and make others of them.", no_args_is_help=True)
    recording.command("info")(info)
    app.add_typer(recording, name="recording")


def info(file: InputArgument, as_json: JsonOption = False) -> None:
    """Say what a recording holds; exit 1 where it is damaged, after saying what could be read."""
    from producers.recording import Recording  # noqa: PLC0415  start-up time
    from producers.survey import survey  # noqa: PLC0415

    found = survey(Recording(file))
    if as_json:
        print_json(found.document())
    else:
        _print_survey(found)
    if found.damage is not None:
        raise found.damage


def _print_survey(found: "Survey") -> None:
    document = found.document()
    topics = document.pop("topics")
    del document["damage"]
    for name in ("conversations", "users"):
        if not document.pop(f"{name}_exact"):
            document[name] = f"about {document[name]}"
    for name, value in document.items():
        print_line(f"{name:14}{'-' if value is None else value}")
    for topic, partitions in topics.items():
        for partition, count in partitions.items():
            print_line(f"{topic}/{partition}  {count} records")
