"""What entries say, read again from a recording for the few entries that somebody looks at."""

import json
from collections.abc import Iterable, Mapping, Set

from deploy.verification.model import Line, text_hash
from deploy.verification.saying import said
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
        entry = said(event.type, json.loads(event.body))
        if entry is not None and text_hash(entry.text) in wanted:
            found[text_hash(entry.text)] = entry.text
    return {line: found[line.text] for line in lines if line.text in found}
