"""What the commands print: JSON documents, JSON lines and tables, on stdout and nothing else there."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
JsonLinesOption = Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line and nothing else.")]


PIPE_WIDTH = 200
"""Columns of a table that goes into a pipe: nothing is folded there that need not be."""


def print_json(document: Any) -> None:
    """Print one JSON document, text verbatim."""
    _write(f"{json.dumps(document, ensure_ascii=False)}\n")


def print_rows(rows: Sequence[Any], *, as_json: bool, as_lines: bool) -> bool:
    """Print rows as one document or as one a line, where either is asked for; return whether it was."""
    if as_lines:
        for row in rows:
            print_json(row)
    elif as_json:
        print_json(rows)
    return as_lines or as_json


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings; control characters in cells are shown escaped."""
    from rich.console import Console  # noqa: PLC0415  start-up time
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    console.print(table)


def cell(value: object) -> str:
    """Return a value as a person reads it: yes, no, a list with commas, and - for none."""
    if value is None or value in ([], ()):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, in the plural unless it is 1; `plural` is for those that take more than an s."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def print_line(text: str) -> None:
    """Print one line, control characters shown escaped."""
    _write(f"{printable(text)}\n")


def printable(text: str) -> str:
    """Return the text with control characters and line breaks as escapes: a message cannot drive the terminal."""
    return "".join(
        character if character.isprintable() or character in _JOINERS else repr(character)[1:-1] for character in text
    )


_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners belong to scripts and emoji."""


def _write(text: str) -> None:
    """Write UTF-8 whatever the locale says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
