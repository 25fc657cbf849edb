"""The generated documents as files: `generated/` is what holds now, `history/` every schema that ever held.

Neither loses a file: an archive must read all that was ever written, so a type's version stays for good.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from schemas.compatibility import incompatibilities
from schemas.documents import ASYNCAPI_FILE, Document, documents, to_text


def generate(folder: Path, current: Mapping[str, Document] | None = None) -> list[str]:
    """Write what drifted, append to the history, and return nothing.

    Where a schema cannot read what an earlier one could have written, nothing at all is written; the problems are
    returned.
    """
    current = documents() if current is None else current
    problems = _incompatible(folder, current)
    if problems:
        return problems
    for file, document in current.items():
        _write(folder / "generated" / file, document)
        past = folder / "history" / file.removesuffix(".json")
        versions = _versions(past)
        if file != ASYNCAPI_FILE and (not versions or _read(versions[-1]) != document):
            _write(past / f"{len(versions) + 1}.json", document)
    return []


def check(folder: Path, current: Mapping[str, Document] | None = None) -> list[str]:
    """Return what is wrong with the checked-in files, each problem opening with the file's name."""
    current = documents() if current is None else current
    return [*_drifted(folder, current), *_unknown(folder, current), *_history(folder, current)]


def _drifted(folder: Path, current: Mapping[str, Document]) -> list[str]:
    problems = []
    for file, document in sorted(current.items()):
        path = folder / "generated" / file
        if not path.is_file():
            problems.append(f"generated/{file}: missing")
        elif path.read_bytes() != to_text(document).encode():
            problems.append(f"generated/{file}: drifted from the models")
    return problems


def _unknown(folder: Path, current: Mapping[str, Document]) -> list[str]:
    found = [path for name in ("generated", "history") for path in sorted((folder / name).glob("*"))]
    return [
        f"{path.parent.name}/{path.name}: of no type in the catalogue; a type's version is never removed"
        for path in found
        if f"{path.name.removesuffix('.json')}.json" not in current or path.is_dir() != (path.parent.name == "history")
    ]


def _history(folder: Path, current: Mapping[str, Document]) -> list[str]:
    problems = []
    for file, document in sorted(current.items()):
        if file == ASYNCAPI_FILE:
            continue
        place = f"history/{file.removesuffix('.json')}"
        versions = _versions(folder / place)
        if [path.name for path in versions] != [f"{number}.json" for number in range(1, len(versions) + 1)]:
            problems.append(f"{place}: the numbers have a hole")
        if not versions or _read(versions[-1]) != document:
            problems.append(f"{place}: the newest is not the current schema")
    return problems + _incompatible(folder, current)


def _incompatible(folder: Path, current: Mapping[str, Document]) -> list[str]:
    return [
        f"history/{version.parent.name}/{version.name}: {problem}"
        for file, document in sorted(current.items())
        for version in _versions(folder / "history" / file.removesuffix(".json"))
        for problem in incompatibilities(_read(version), document)
    ]


def _versions(past: Path) -> list[Path]:
    return sorted(past.glob("*.json"), key=lambda path: (len(path.name), path.name))


def _read(path: Path) -> Document:
    document: Document = json.loads(path.read_bytes())
    return document


def _write(path: Path, document: Document) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_text(document).encode())
