"""What people wrote, read again from a recording for the few entries that somebody looks at."""

import json
from collections.abc import Iterable, Mapping, Set

from deploy.verification.model import Line, text_hash
from schemas.catalogue import Stream
from schemas.envelope import decode
from schemas.errors import RecordRejected
from schemas.record import Record


def texts(
    records: Iterable[Record], streams: Mapping[str, Stream], record_bytes_max: int, lines: Set[Line]
) -> dict[Line, str]:
    """Return the texts of these lines, as far as the records have them."""
    found: dict[bytes, str] = {}
    wanted = {line.text for line in lines}
    for record in records:
        if record.topic not in streams:
            continue
        try:
            event = decode(record, streams[record.topic], record_bytes_max)
        except RecordRejected:
            continue
        text = json.loads(event.body).get("text", "")
        mark = text_hash(text)
        if mark in wanted:
            found[mark] = text
    return {line: found[line.text] for line in lines if line.text in found}
