"""Events as text, a line of JSON each: what a segment keeps, and byte for byte what its hash is over.

`{"sequence":2,"id":"...","source":"...","type":"...","at":"...","data":{...}}`, where data is as our producers write
it. The form is canonical: the same events always have the same text, and no others have it.
"""

import json
from collections.abc import Iterable
from json.encoder import encode_basestring as quoted
from typing import Final

from schemas.catalogue import MODELS, EventType
from schemas.envelope import Event
from schemas.times import parse_time

_DATA: Final = ',"data":'
"""Found first between the attributes and the data: inside a string its quotes would be escaped."""


def write_events(events: Iterable[Event]) -> str:
    """Return the events' lines, each ended by LF, which JSON escapes within strings."""
    return "".join(
        [
            f'{{"sequence":{event.sequence},"id":{quoted(event.id)},"source":{quoted(event.source)},'
            f'"type":"{event.type}","at":"{event.at}"{_DATA}{event.body.decode()}}}\n'
            for event in events
        ]
    )


def read_events(text: str) -> tuple[Event, ...]:
    """Return the events of such a text. Raises ValueError for any other."""
    return tuple(_read(line) for line in text.split("\n")[:-1])


def _read(line: str) -> Event:
    attributes, _, rest = line.partition(_DATA)
    facts = json.loads(f"{attributes}}}")
    body = rest[:-1].encode()
    name = EventType(facts["type"])
    at, moment = parse_time(facts["at"])
    data = MODELS[name].model_validate_json(body)
    return Event(facts["id"], facts["source"], name, at, moment, facts["sequence"], data, body)
