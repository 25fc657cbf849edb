"""Wire bytes of every version of every type. The files under `wire` only ever grow: what is written stays readable."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from schemas.catalogue import MODELS, STREAMS, EventType
from schemas.envelope import canonical, decode
from schemas.record import Record

WIRE: Final = Path(__file__).parent / "wire"
EXAMPLES: Final[list[tuple[str, dict[str, Any]]]] = [
    (path.stem, example) for path in sorted(WIRE.glob("*.json")) for example in json.loads(path.read_bytes())
]


def _record(fields: dict[str, Any]) -> Record:
    names, values = fields["headers"][::2], fields["headers"][1::2]
    headers = tuple(
        (name, None if value is None else value.encode()) for name, value in zip(names, values, strict=True)
    )
    return Record("lync.golden", 0, 0, 0, fields["key"].encode(), headers, fields["payload"].encode())


def _ids() -> list[str]:
    return [f"{name}-{example['what']}" for name, example in EXAMPLES]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=_ids())
def test_decodes_for_ever(name: str, example: dict[str, Any]) -> None:
    """Bytes that were ever written decode to exactly what they said then."""
    event = decode(_record(example["record"]), STREAMS[EventType(name)])
    decoded = {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "at": event.at,
        "sequence": event.sequence,
        "data": event.data.model_dump(mode="json"),
    }
    assert decoded == example["expected"]
    assert event.type == name
    assert json.loads(event.body) == example["expected"]["data"]


@pytest.mark.parametrize(
    ("name", "example"), [(name, example) for name, example in EXAMPLES if example["what"].startswith("as our")]
)
def test_producers_still_write_these_bytes(name: str, example: dict[str, Any]) -> None:
    """The form that our producers write is the same byte for byte."""
    written = MODELS[EventType(name)].model_validate_json(json.dumps(example["expected"]["data"]))
    assert canonical(written).decode() == example["record"]["payload"]


def test_every_type_has_examples() -> None:
    """No type of the catalogue lacks a golden file, and no golden file lost its type."""
    assert {name for name, _ in EXAMPLES} == set(MODELS)


def test_hostile_text_is_among_the_examples() -> None:
    """The files hold what breaks careless readers: raw U+2028, escaped NUL, right-to-left text, emoji."""
    payloads = "".join(example["record"]["payload"] for _, example in EXAMPLES)
    assert all(mark in payloads for mark in ("\u2028", r"\u0000", "\u05e9\u05dc", "\u0639\u0645", "\U0001f469\u200d"))
