"""The sizes and names that this project keeps to: `python -m tests.style`, part of `make check`."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MODULE_LINES_MAX = 350
FUNCTION_LINES_MAX = 40
README_LINES_MAX = 120
BANNED_NAMES = ("utils", "util", "helpers", "helper", "common", "misc")
PACKAGES = ("schemas", "producers", "consumers", "deploy", "tests")
ROOT = Path(__file__).resolve().parent.parent


def problems() -> Iterator[str]:
    """Yield one sentence for each thing that is too long or badly named."""
    if len((ROOT / "README.md").read_text().splitlines()) > README_LINES_MAX:
        yield f"README.md has more than {README_LINES_MAX} lines"
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from _module(path, str(path.relative_to(ROOT)))


def _module(path: Path, name: str) -> Iterator[str]:
    text = path.read_text()
    if path.stem in BANNED_NAMES:
        yield f"{name} is named for nothing"
    if len(text.splitlines()) > MODULE_LINES_MAX:
        yield f"{name} has more than {MODULE_LINES_MAX} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{name}:{node.lineno} {node.name} has {lines} lines, {FUNCTION_LINES_MAX} are allowed"


def main() -> int:
    """Print the problems; return 1 where there are any."""
    found = list(problems())
    sys.stderr.writelines(f"{problem}\n" for problem in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
