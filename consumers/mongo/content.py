"""What a Kafka record holds, as fields of a document that stays within what MongoDB takes (16 MiB)."""

from collections.abc import Iterable
from struct import pack, unpack_from
from typing import Any, Final

import zstandard

from schemas.record import Headers, header_name, is_text, name_bytes

HEADERS_LISTED_MAX: Final = 1000
"""More headers than these are packed: as a list, those of one Kafka record could outgrow a document."""

PLAIN_BYTES_MAX: Final = 12 * 1024 * 1024
"""More than this is compressed. Topics limit compressed bytes, so what is larger than they take can be made small."""

_WINDOW_LOG: Final = 27
"""Repetitions are found this power of two apart, 128 MiB: as far as those that a producer compressed."""

_NULL: Final = 2**32 - 1
_LENGTH_BYTES: Final = 4
"""What stands before each packed part: of a header that is empty, all there is, and more than it takes in Kafka."""

Content = tuple[bytes | None, Headers, bytes | None]
"""Key, headers and value."""


def content_document(key: bytes | None, headers: Headers, value: bytes | None) -> dict[str, Any]:
    """Return the fields `key`, `headers` and `value`, and others that stand for what these cannot hold."""
    pairs = [part for name, header in headers for part in (name_bytes(name), header)]
    if sum(_LENGTH_BYTES + len(part or b"") for part in (key, value, *pairs)) > PLAIN_BYTES_MAX:
        options = zstandard.ZstdCompressionParameters.from_level(3, window_log=_WINDOW_LOG, enable_ldm=True)
        packed = zstandard.ZstdCompressor(compression_params=options).compress(_packed((key, value, *pairs)))
        return {"key": None, "headers": [], "value": None, "content_zstd": packed}
    if len(headers) > HEADERS_LISTED_MAX or not all(is_text(name) for name, _ in headers):  # BSON takes text only
        return {"key": key, "headers": [], "headers_packed": _packed(pairs), "value": value}
    return {"key": key, "headers": [[name, header] for name, header in headers], "value": value}


def content_of(document: dict[str, Any]) -> Content:
    """Read what `content_document` wrote."""
    if "content_zstd" in document:
        whole = zstandard.ZstdDecompressor(max_window_size=2**_WINDOW_LOG).decompress(document["content_zstd"])
        key, value, *pairs = _unpacked(whole)
        return key, _headers(pairs), value
    packed = document.get("headers_packed")
    if packed is not None:
        return document["key"], _headers(_unpacked(packed)), document["value"]
    return document["key"], tuple((name, header) for name, header in document["headers"]), document["value"]


def _packed(parts: Iterable[bytes | None]) -> bytes:
    """Return each part behind its length (`_LENGTH_BYTES`)."""
    return b"".join(pack(">I", _NULL) if part is None else pack(">I", len(part)) + part for part in parts)


def _unpacked(packed: bytes) -> list[bytes | None]:
    parts: list[bytes | None] = []
    place = 0
    while place < len(packed):
        (length,) = unpack_from(">I", packed, place)
        place += _LENGTH_BYTES
        parts.append(None if length == _NULL else bytes(packed[place : place + length]))
        place += 0 if length == _NULL else length
    return parts


def _headers(pairs: list[bytes | None]) -> Headers:
    return tuple((header_name(name or b""), value) for name, value in zip(pairs[::2], pairs[1::2], strict=True))
