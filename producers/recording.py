"""Recordings: Kafka records in a file, one a line, byte for byte, and what `kcat -J` prints."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from producers.lines import LinesDamaged, LineWriter, read_lines
from producers.recording_line import from_line, to_line
from schemas.record import Record


class RecordingDamaged(LinesDamaged):
    """A recording is cut short or corrupt, or a line of it is no record; `line` counts from 1."""


class RecordedLine(NamedTuple):
    """A record and the line that held it, without its LF: copied whole, it keeps the fields that are not ours."""

    line: bytes
    record: Record


class Place(NamedTuple):
    """Where in a plain file a line begins: its byte, from 0, and its number, from 1."""

    offset: int
    line: int


BEGINNING: Final = Place(0, 1)


class RecordingWriter:
    """Takes records one at a time; the file is complete when the context ends."""

    def __init__(self, path: Path) -> None:
        self._lines = LineWriter(path)

    @property
    def records(self) -> int:
        """How many records were written."""
        return self._lines.lines

    def __enter__(self) -> Self:
        """Open the file, replacing what it held. Raises Misconfigured where it cannot be written."""
        self._lines.__enter__()
        return self

    def write(self, record: Record) -> None:
        """Write a record. Raises Misconfigured where the file cannot take it."""
        self._lines.write(to_line(record))

    def write_line(self, line: bytes) -> None:
        """Write a recording's line as it is. Raises Misconfigured where the file cannot take it."""
        self._lines.write(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.__exit__(kind, error, trace)


class Recording:
    """A file of records, compressed where its name ends in `.gz` or `.zst`. The same records give the same bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Iterator[Record]:
        """Yield the records in the file's order, one line in memory at a time.

        Raises Misconfigured where the file cannot be read, and RecordingDamaged, once every record before the
        damage has been yielded.
        """
        return (found.record for found in self.lines())

    def lines(self, place: Place = BEGINNING) -> Iterator[RecordedLine]:
        """Yield the records with their lines, as `read` does, of a plain file from a place on."""
        try:
            for number, line in enumerate(read_lines(self.path, *place), start=place.line):
                yield RecordedLine(line, self._record(number, line))
        except RecordingDamaged:
            raise
        except LinesDamaged as error:
            raise RecordingDamaged(error.path, error.line, error.reason) from error

    def _record(self, number: int, line: bytes) -> Record:
        try:
            return from_line(line)
        except ValueError as error:
            raise RecordingDamaged(self.path, number, str(error)) from error

    def writer(self) -> RecordingWriter:
        """Return a writer for records that come one at a time."""
        return RecordingWriter(self.path)

    def write(self, records: Iterable[Record]) -> int:
        """Write all records and return their number. Raises Misconfigured where the file cannot be written."""
        with self.writer() as writer:
            for record in records:
                writer.write(record)
            return writer.records
