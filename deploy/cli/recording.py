"""`lync-archiver recording`: what recordings hold, and recordings made of others."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from deploy.cli.printing import JsonOption, counted, print_json, print_line
from deploy.cli.produce import InputArgument, OutputArgument
from deploy.cli.selecting import ConversationOption, SinceOption, UntilOption, UserOption, selection

if TYPE_CHECKING:
    from producers.recording import RecordedLine
    from producers.survey import Survey

SECRET_BYTES: Final = 32


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    recording = typer.Typer(help="Look at recordings, and make others of them.", no_args_is_help=True)
    recording.command("info")(info)
    recording.command("index")(index)
    recording.command("cut")(cut)
    recording.command("merge")(merge)
    recording.command("scrub")(scrub)
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


def cut(
    file: InputArgument,
    out: OutputArgument,
    since: SinceOption = None,
    until: UntilOption = None,
    conversation: ConversationOption = None,
    user: UserOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy what the options choose of a recording, line for line."""
    from producers.recording import Recording  # noqa: PLC0415  start-up time
    from producers.recording_index import chosen_lines  # noqa: PLC0415

    _copy(chosen_lines(Recording(file), selection(since, until, conversation, user)), out, (file,), as_json)


def index(file: InputArgument, as_json: JsonOption = False) -> None:
    """Write FILE.idx beside a plain recording, by which `cut` and `replay` find times and conversations."""
    from producers.recording import Recording  # noqa: PLC0415  start-up time
    from producers.recording_index import index_path, write_index  # noqa: PLC0415

    blocks = write_index(Recording(file))
    if as_json:
        print_json({"index": str(index_path(file)), "blocks": blocks})
    else:
        print_line(f"{index_path(file)}: {blocks} blocks")


def merge(
    out: OutputArgument,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="Recordings to merge.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Merge recordings by time; each one's own order is kept."""
    from producers.merging import merged  # noqa: PLC0415  start-up time
    from producers.recording import Recording  # noqa: PLC0415

    _copy(merged(map(Recording, files)), out, files, as_json)


def scrub(
    file: InputArgument,
    out: OutputArgument,
    seed: Annotated[
        str | None, typer.Option(help="A secret: the same one gives the same pseudonyms. Without it they are new.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Replace people, texts, subjects and ids of a recording by pseudonyms of the same shape."""
    from dataclasses import asdict  # noqa: PLC0415  start-up time
    from secrets import token_bytes  # noqa: PLC0415

    from producers.recording import Recording  # noqa: PLC0415
    from producers.scrubbing import Scrubber  # noqa: PLC0415

    refuse_same_file((file,), out)
    scrubber = Scrubber(token_bytes(SECRET_BYTES) if seed is None else seed.encode(errors="surrogateescape"))
    Recording(out).write(scrubber.scrubbed(Recording(file).read()))
    if as_json:
        print_json(asdict(scrubber.tally))
    else:
        print_line(
            f"{counted(scrubber.tally.records, 'record')}, {scrubber.tally.undecodable} of them without an event"
        )


def _copy(lines: "Iterable[RecordedLine]", out: Path, sources: Iterable[Path], as_json: bool) -> None:
    from producers.recording import Recording  # noqa: PLC0415  start-up time

    refuse_same_file(sources, out)
    with Recording(out).writer() as writer:
        for found in lines:
            writer.write_line(found.line)
    if as_json:
        print_json({"records": writer.records})
    else:
        print_line(counted(writer.records, "record"))


def refuse_same_file(sources: Iterable[Path], out: Path) -> None:
    """Raise typer.BadParameter where `out` is one of the sources, which opening it would empty."""
    if out.exists() and any(out.samefile(source) for source in sources):
        raise typer.BadParameter("it is a recording that is to be read", param_hint="OUT")


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
            print_line(f"{topic}/{partition}  {counted(count, 'record')}")
