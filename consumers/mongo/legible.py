"""Documents as they are, whoever wrote them: each is read by itself, so that one nobody can read hides no other."""

from collections.abc import AsyncIterator
from typing import Any, Final

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument

from consumers.mongo.layout import Document

RAW: Final[CodecOptions[RawBSONDocument]] = CodecOptions(document_class=RawBSONDocument)
"""Reads a document's bytes, whatever these are."""

ILLEGIBLE: Final = ""
"""The field that is added to what could not be read as it is; no document of ours has one of that name."""

_STRICT: Final[CodecOptions[Document]] = CodecOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
"""Times beyond those of Python stay numbers."""

_LENIENT: Final = _STRICT.with_options(unicode_decode_error_handler="backslashreplace")


async def legible(found: AsyncIterator[Any]) -> AsyncIterator[Document]:
    """Yield documents that were read as `RAW`, decoded."""
    async for raw in found:
        yield read(raw.raw)


def read(raw: bytes) -> Document:
    """Decode a document; one with text that is no UTF-8 is read as far as it goes, and marked as `ILLEGIBLE`."""
    try:
        return bson.decode(raw, _STRICT)
    except InvalidBSON:
        found: Document = bson.decode(raw, _LENIENT)
        return found | {ILLEGIBLE: True}
