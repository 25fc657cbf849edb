"""The tables of `consumers.transitions` as `docs/state-diagrams.md`: one Mermaid diagram for each kind.

`python -m consumers.diagram generate` writes the file, `python -m consumers.diagram check` fails where it drifted.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from consumers.transitions import TRANSITIONS, Kind, Phase, Table

_FILE = Path(__file__).parent.parent / "docs" / "state-diagrams.md"
_INTRODUCTION = """\
# State diagrams

Generated from `consumers/transitions.py` by `python -m consumers.diagram generate`; edit the tables, not this file.

A phase says which ends of a history are held: its opening event, its end, both or neither.
An event that a phase does not name is refused in it, and its record goes to quarantine.
"""


def render() -> str:
    """Return the whole document."""
    sections = [f"\n## {kind.value.capitalize()}\n\n{_diagram(kind, table)}" for kind, table in TRANSITIONS.items()]
    return _INTRODUCTION + "".join(sections)


def _diagram(kind: Kind, table: Table) -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {Phase.AWAITED}", *_moves(kind, table), "```"]
    return "\n".join(lines) + "\n"


def _moves(kind: Kind, table: Table) -> Iterator[str]:
    for phase, moves in table.items():
        for to in Phase:
            names = [_short(kind, name) for name, target in moves.items() if target is to]
            if names:
                yield f"    {phase} --> {to}: {', '.join(names)}"


def _short(kind: Kind, name: str) -> str:
    """Name the type, and its version where that is not the first."""
    return name.removeprefix(f"lync.{kind}.").removesuffix(".v1")


def main(arguments: list[str], file: Path) -> int:
    """Return the exit code: 0 for done, 1 for a file that drifted, 2 for a wrong command line."""
    match arguments:
        case ["generate"]:
            file.write_bytes(render().encode())
            return 0
        case ["check"]:
            drifted = not file.is_file() or file.read_bytes() != render().encode()
            if drifted:
                sys.stdout.write(f"{file.parent.name}/{file.name}: drifted from the tables\n")
            return int(drifted)
    sys.stderr.write("usage: python -m consumers.diagram generate|check\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], _FILE))
