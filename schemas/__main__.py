"""`python -m schemas generate` writes the contract's documents, `python -m schemas check` fails where they drifted."""

import sys
from pathlib import Path

from schemas.checked_in import check, generate

_COMMANDS = {"generate": generate, "check": check}


def main(arguments: list[str], folder: Path) -> int:
    """Return the exit code: 0 for done, 1 for problems, 2 for a wrong command line."""
    if len(arguments) != 1 or arguments[0] not in _COMMANDS:
        sys.stderr.write("usage: python -m schemas generate|check\n")
        return 2
    problems = _COMMANDS[arguments[0]](folder)
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).parent))
