"""An index beside a plain recording: which times and conversations are where, so that the rest is not read.

A first line names the recording by its size, its time of change and a digest of its beginning; then comes a line for
each block of records: `[offset, line, records, bytes, least ms, most ms, marks]`, where marks are four bytes of a hash
of each key, in base64. A block that matches is read and its records looked at; so an index only ever leaves out what
does not match.
"""

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from producers.lines import LinesDamaged, LineWriter, read_lines
from producers.recording import BEGINNING, Place, RecordedLine, Recording
from producers.selection import Selection
from schemas.errors import Misconfigured

VERSION: Final = 1
BLOCK_RECORDS: Final = 1000
"""About 500 kB of usual records; its line of the index has some 5 kB where every record is of another conversation."""

HEAD_BYTES: Final = 64 * 1024
"""As much of the recording's beginning is in its digest."""

_MARK_BYTES: Final = 4
_PACKED: Final = (".gz", ".zst")


class Block(NamedTuple):
    """Consecutive records of a recording: where they begin, how many, their bytes, times and keys."""

    place: Place
    records: int
    size: int
    least_ms: int
    most_ms: int
    marks: frozenset[bytes]

    @property
    def end(self) -> Place:
        """Where the next block begins."""
        return Place(self.place.offset + self.size, self.place.line + self.records)

    def may_hold(self, chosen: Selection, wanted: frozenset[bytes]) -> bool:
        """Return False where no record of the block is chosen; `wanted` are the marks of the chosen conversations."""
        if wanted and wanted.isdisjoint(self.marks):
            return False
        return chosen.takes_span(self.least_ms, self.most_ms)


def index_path(recording: Path) -> Path:
    """Return where a recording's index is: beside it, with `.idx` after its name."""
    return recording.with_name(f"{recording.name}.idx")


def write_index(recording: Recording, block_records: int = BLOCK_RECORDS) -> int:
    """Index the recording and return the number of its blocks; an index that was there is replaced at the end.

    Raises Misconfigured for a compressed recording, which cannot be read from its middle, and where a file cannot be
    read or written; and RecordingDamaged.
    """
    if recording.path.suffix in _PACKED:
        raise Misconfigured(f"{recording.path} is compressed: only plain recordings can be indexed")
    path = index_path(recording.path)
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with LineWriter(unfinished) as lines:
            lines.write(_line(_identity(recording.path)))
            for block in _blocks(recording, block_records):
                marks = base64.b64encode(b"".join(sorted(block.marks))).decode()
                lines.write(_line([*block.place, *block[1:-1], marks]))
        unfinished.replace(path)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return lines.lines - 1


def chosen_lines(recording: Recording, chosen: Selection) -> Iterator[RecordedLine]:
    """Yield the lines that are chosen, reading only what the recording's index does not rule out, if it has one.

    An index that is not of the recording as it is now is passed over. Raises as `Recording.lines` does; damage where
    nothing is chosen may go unnoticed.
    """
    if not chosen.seeks or not _is_fresh(recording.path):
        yield from chosen.lines(recording.lines())
        return
    for place, records in _runs(recording.path, chosen):
        yield from chosen.lines(islice(recording.lines(place), records))


def _runs(recording: Path, chosen: Selection) -> Iterator[tuple[Place, int | None]]:
    """Yield where to read and how many records; what the index does not reach, or cannot tell, is read to the end."""
    wanted = frozenset(map(_mark, chosen.conversations))
    begin, records, end = BEGINNING, 0, BEGINNING
    try:
        for line in islice(read_lines(index_path(recording)), 1, None):
            block = _block(line)
            if block.may_hold(chosen, wanted):
                begin = begin if records else block.place
                records += block.records
            elif records:
                yield begin, records
                records = 0
            end = block.end
        complete = end.offset >= recording.stat().st_size
    except (LinesDamaged, Misconfigured, ValueError, OSError):
        complete = False
    if not complete:
        yield (begin if records else end), None
    elif records:
        yield begin, records


def _blocks(recording: Recording, block_records: int) -> Iterator[Block]:
    place, lines = BEGINNING, recording.lines()
    while True:
        size, records, marks = 0, 0, set[bytes]()
        least_ms, most_ms = 2**63 - 1, -1
        for line, record in islice(lines, block_records):
            size += len(line) + 1
            records += 1
            if record.key is not None:
                marks.add(_mark(record.key))
            if record.timestamp_ms >= 0:
                least_ms, most_ms = min(least_ms, record.timestamp_ms), max(most_ms, record.timestamp_ms)
        if not records:
            return
        block = Block(place, records, size, least_ms, most_ms, frozenset(marks))
        yield block
        place = block.end


def _block(line: bytes) -> Block:
    """Raises ValueError where the line is no block."""
    match json.loads(line):
        case [int(offset), int(number), int(records), int(size), int(least_ms), int(most_ms), str(packed)]:
            marks = base64.b64decode(packed, validate=True)
            cut = range(0, len(marks), _MARK_BYTES)
            found = frozenset(marks[begin : begin + _MARK_BYTES] for begin in cut)
            return Block(Place(offset, number), records, size, least_ms, most_ms, found)
    raise ValueError("the line is no block")


def _is_fresh(recording: Path) -> bool:
    if not index_path(recording).is_file():
        return False
    try:
        (head,) = islice(read_lines(index_path(recording)), 1)
        return bool(json.loads(head) == _identity(recording))
    except (LinesDamaged, Misconfigured, ValueError):
        return False


def _identity(recording: Path) -> dict[str, Any]:
    try:
        with recording.open("rb") as file:
            stat = os.fstat(file.fileno())
            head = hashlib.sha256(file.read(HEAD_BYTES)).hexdigest()
    except OSError as error:
        raise Misconfigured(f"{recording} cannot be read: {error.strerror or error}") from error
    return {"version": VERSION, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "head": head}


def _mark(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=_MARK_BYTES).digest()


def _line(document: Iterable[Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
