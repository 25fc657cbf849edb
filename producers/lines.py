"""Files of lines, plain or compressed by suffix (`.gz`, `.zst`), read and written with bounded memory.

A line ends at LF and nowhere else: text may hold U+2028, U+0085 or CR, which other line readers take for an end.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Protocol, Self, cast

import zstandard

from schemas.errors import LyncArchiverError, Misconfigured

LINE_BYTES_MAX: Final = 64 * 1024 * 1024
"""A line. A record of 8 MiB takes six times that where JSON must escape every byte; longer is no line file."""

BUFFER_BYTES: Final = 1024 * 1024
"""What is read or written at once: large enough that system calls do not count."""

_ZSTD_INPUT_BYTES: Final = 8 * 1024
"""Compressed bytes decompressed at once: even at 10,000:1 that stays below 100 MB."""

_GZIP_LEVEL: Final = 6
_ZSTD_LEVEL: Final = 3


class LinesDamaged(LyncArchiverError):
    """A file is cut short or corrupt; `line` counts from 1."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


class _Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


def read_lines(path: Path, offset: int = 0, line: int = 1) -> Iterator[bytes]:
    """Yield each line without its LF. A last line that has none is a line as well.

    Of a plain file, reading can begin at the byte `offset`, where the line of that number begins. Raises Misconfigured
    where the file cannot be read, and LinesDamaged, once all lines before it have been yielded, where it is cut short,
    corrupt or not made of lines.
    """
    number = line - 1
    with ExitStack() as stack:
        try:
            stream = _open_input(path, stack)
            if offset:
                stream.seek(offset)
        except OSError as error:
            raise Misconfigured(f"{path} cannot be read: {error.strerror or error}") from error
        while True:
            number += 1
            found = _read_line(stream, path, number)
            if not found:
                return
            yield found.removesuffix(b"\n")


def _read_line(stream: BinaryIO, path: Path, number: int) -> bytes:
    try:
        line = stream.readline(LINE_BYTES_MAX)
    except EOFError as error:
        raise LinesDamaged(path, number, "the compressed file is cut short") from error
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise LinesDamaged(path, number, "the compressed file is corrupt") from error
    except OSError as error:
        raise LinesDamaged(path, number, f"reading failed: {error.strerror or error}") from error
    if len(line) == LINE_BYTES_MAX:
        raise LinesDamaged(path, number, f"the line has {LINE_BYTES_MAX} bytes or more")
    return line


def _open_input(path: Path, stack: ExitStack) -> BinaryIO:
    file = stack.enter_context(path.open("rb", buffering=BUFFER_BYTES))
    if path.suffix == ".gz":
        packed = stack.enter_context(gzip.GzipFile(fileobj=file, mode="rb"))
        return io.BufferedReader(_GzipStream(packed), BUFFER_BYTES)
    if path.suffix == ".zst":
        return io.BufferedReader(_ZstdStream(file), BUFFER_BYTES)
    return file


class _GzipStream(io.RawIOBase):
    """Hands on what one read gives: GzipFile's own `readinto` reads on, and drops all of it where it meets damage."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any, /) -> int:
        view = memoryview(target)
        plain = self._packed.read1(len(view))
        view[: len(plain)] = plain
        return len(plain)


class _ZstdStream(io.RawIOBase):
    """Decompresses frame after frame: zstandard's own reader takes a frame cut short for the end of the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packed = b""
        self._plain = memoryview(b"")
        self._decompressor = zstandard.ZstdDecompressor()
        self._frame = self._decompressor.decompressobj()
        self._inside = True  # an empty file holds no frame, so it is cut short

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any, /) -> int:
        view = memoryview(target)
        while not self._plain:
            packed = self._packed or self._file.read(_ZSTD_INPUT_BYTES)
            if not packed:
                if self._inside:
                    raise EOFError
                return 0
            self._decompress(packed)
        taken = min(len(view), len(self._plain))
        view[:taken] = self._plain[:taken]
        self._plain = self._plain[taken:]
        return taken

    def _decompress(self, packed: bytes) -> None:
        self._plain = memoryview(self._frame.decompress(packed))
        self._packed = b""
        self._inside = not self._frame.eof
        if self._frame.eof:
            self._packed = self._frame.unused_data
            self._frame = self._decompressor.decompressobj()


class LineWriter:
    """Writes lines to a file, which is complete when the context ends. The same lines give the same bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self._sink: _Sink
        self.lines = 0

    def __enter__(self) -> Self:
        """Open the file, replacing what it held. Raises Misconfigured where it cannot be written."""
        try:
            self._sink = self._open()
        except OSError as error:
            raise self._refused(error) from error
        return self

    def write(self, line: bytes) -> None:
        """Write a line that holds no LF. Raises Misconfigured where the file cannot take it."""
        try:
            self._sink.write(line + b"\n")
        except OSError as error:
            raise self._refused(error) from error
        self.lines += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stack.close()
        except OSError as failure:
            raise self._refused(failure) from failure

    def _open(self) -> _Sink:
        file = self._stack.enter_context(self._path.open("wb", buffering=BUFFER_BYTES))
        if self._path.suffix == ".gz":
            # No name and no time in the header: they would differ from run to run.
            packed = gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=file, mtime=0)
            self._stack.enter_context(packed)
            return self._buffered(packed)
        if self._path.suffix == ".zst":
            compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
            return self._buffered(self._stack.enter_context(compressor.stream_writer(file, closefd=False)))
        return file

    def _buffered(self, packed: object) -> _Sink:
        """Hand lines to a compressor in large pieces: a call for each would take longer than the compression."""
        return self._stack.enter_context(io.BufferedWriter(cast("io.RawIOBase", packed), BUFFER_BYTES))

    def _refused(self, error: OSError) -> Misconfigured:
        return Misconfigured(f"{self._path} cannot be written: {error.strerror or error}")
