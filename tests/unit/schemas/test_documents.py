"""The generated documents hold what the models say, and the checked-in files are the generated documents."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from schemas.__main__ import main
from schemas.catalogue import MODELS, STREAMS, EventType
from schemas.checked_in import check, generate
from schemas.documents import ASYNCAPI_FILE, documents, event_schema, schema_file, to_text
from schemas.health import HEALTH_TYPE

SCHEMAS: Final = Path(__file__).parents[3] / "schemas"
WIRE: Final = Path(__file__).parents[2] / "golden" / "wire"
NAME: Final = EventType.CONVERSATION_MESSAGE
FILE: Final = schema_file(NAME)
USAGE_CODE: Final = 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all that is generated."""
    assert generate(tmp_path) == []
    return tmp_path


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.json")}


def _changed(**changed: Any) -> dict[str, Any]:
    """Every document, where the message's text has other rules."""
    schema = json.loads(json.dumps(event_schema(NAME)))
    schema["properties"]["text"].update(changed)
    return {**documents(), FILE: schema}


def test_nothing_drifted() -> None:
    """What is checked in is what the models say, and reads all that earlier versions wrote."""
    assert check(SCHEMAS) == []


def test_generation_is_deterministic() -> None:
    """The same models give the same text, sorted, in ASCII, with one newline at the end."""
    for document in documents().values():
        text = to_text(document)
        assert text == to_text(json.loads(text))
        assert text.isascii()
        assert text.endswith("}\n")


@pytest.mark.parametrize("name", MODELS)
def test_schemas_accept_what_the_models_accept(name: EventType) -> None:
    """Every golden example of the type is valid by its JSON Schema, which is valid itself."""
    schema = event_schema(name)
    Draft202012Validator.check_schema(schema)
    for example in json.loads((WIRE / schema_file(name)).read_bytes()):
        data = example["expected"]["data"]
        assert MODELS[name].model_validate_json(json.dumps(data))
        Draft202012Validator(schema).validate(data)


@pytest.mark.parametrize("name", MODELS)
def test_schemas_refuse_what_the_models_refuse(name: EventType) -> None:
    """An unknown field, a missing conversation and a number for text are invalid by the JSON Schema too."""
    data = json.loads((WIRE / schema_file(name)).read_bytes())[0]["expected"]["data"]
    without = {field: value for field, value in data.items() if field != "conversation"}
    wrongs: list[Any] = [{**data, "unknown": 1}, without, {**data, "conversation": 1}, {**data, "conversation": ""}, []]
    for wrong in wrongs:
        assert not Draft202012Validator(event_schema(name)).is_valid(wrong)


def test_asyncapi_refers_to_what_exists() -> None:
    """Every reference of the AsyncAPI document leads somewhere: within it, or to a generated schema."""
    files = documents()
    document = files[ASYNCAPI_FILE]
    references = _references(document)
    assert references
    for reference in references:
        if reference.startswith("./"):
            assert reference.removeprefix("./") in files
            continue
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for one in part for found in _references(one)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if "$ref" in part else []
    return own + [found for one in part.values() for found in _references(one)]


def test_asyncapi_has_each_type_in_its_channel() -> None:
    """A channel for each stream that has types, each type in one of them, sent and received."""
    document = documents()[ASYNCAPI_FILE]
    assert document["asyncapi"] == "3.0.0"
    channels = document["channels"]
    assert {name: channel["address"] for name, channel in channels.items()} == {
        "conversations": "lync.conversations",
        "conferences": "lync.conferences",
        "health": "lync.health",
    }
    assert set(channels["health"]["messages"]) == {HEALTH_TYPE}
    for stream in STREAMS.values():
        assert set(channels[stream]["messages"]) == {name for name in MODELS if STREAMS[name] == stream}
    actions = [(operation["action"], operation["channel"]["$ref"]) for operation in document["operations"].values()]
    assert sorted(actions) == [
        (action, f"#/channels/{stream}")
        for action in ("receive", "send")
        for stream in ("conferences", "conversations", "health")
    ]


@pytest.mark.parametrize("name", MODELS)
def test_asyncapi_headers_accept_the_golden_headers(name: EventType) -> None:
    """The headers that our producers write are valid by the message's header schema, other types' are not."""
    schema = documents()[ASYNCAPI_FILE]["components"]["messages"][name]["headers"]
    Draft202012Validator.check_schema(schema)
    flat = json.loads((WIRE / schema_file(name)).read_bytes())[0]["record"]["headers"]
    headers = dict(zip(flat[::2], flat[1::2], strict=True))
    Draft202012Validator(schema).validate(headers)
    for changed in (
        {"ce_type": "lync.other.v1"},
        {"ce_specversion": "0.3"},
        {"ce_sequence": "0"},
        {"ce_time": "2026-03-29T24:00:00Z"},
    ):
        assert not Draft202012Validator(schema).is_valid({**headers, **changed})
    for header in headers.keys() - {"content-type"}:
        assert not Draft202012Validator(schema).is_valid({k: v for k, v in headers.items() if k != header})


def test_generating_twice_changes_nothing(folder: Path) -> None:
    """A second run writes the same files and no further version."""
    before = _files(folder)
    assert generate(folder) == []
    assert _files(folder) == before
    assert check(folder) == []


def test_a_compatible_change_becomes_a_version(folder: Path) -> None:
    """A widened schema is appended to the history, and earlier versions stay as they are."""
    before = _files(folder)
    wider = _changed(maxLength=2_000_000)
    assert generate(folder, wider) == []
    after = _files(folder)
    added = f"history/{NAME}/2.json"
    assert set(after) - set(before) == {added}
    assert {name for name in before if before[name] != after[name]} == {f"generated/{FILE}"}
    assert after[added] == after[f"generated/{FILE}"]
    assert check(folder, wider) == []


def test_an_incompatible_change_writes_nothing(folder: Path) -> None:
    """A schema that cannot read an earlier version's records is refused, by `generate` and by `check`."""
    assert generate(folder, _changed(maxLength=2_000_000)) == []
    before = _files(folder)
    problems = [f"history/{NAME}/{number}.json: $.text: maxLength narrowed" for number in (1, 2)]
    assert generate(folder, _changed(maxLength=10)) == problems
    assert _files(folder) == before
    assert set(problems) <= set(check(folder, _changed(maxLength=10)))


def test_every_version_counts_not_only_the_newest(folder: Path) -> None:
    """A schema that reads the newest version but not the first is refused."""
    older = folder / "history" / NAME / "1.json"
    older.rename(folder / "history" / NAME / "2.json")
    older.write_text(to_text(_changed(maxLength=2_000_000)[FILE]))
    assert check(folder) == [f"history/{NAME}/1.json: $.text: maxLength narrowed"]


def test_check_names_a_file_that_drifted(folder: Path) -> None:
    """A byte too many is drift."""
    path = folder / "generated" / FILE
    path.write_bytes(path.read_bytes() + b"\n")
    assert check(folder) == [f"generated/{FILE}: drifted from the models"]


def test_check_names_a_file_that_is_missing(folder: Path) -> None:
    """A generated file that is gone is named, and so is a history."""
    (folder / "generated" / ASYNCAPI_FILE).unlink()
    (folder / "history" / NAME / "1.json").unlink()
    assert check(folder) == [
        f"generated/{ASYNCAPI_FILE}: missing",
        f"history/{NAME}: the newest is not the current schema",
    ]


def test_check_names_a_hole_in_the_history(folder: Path) -> None:
    """A version that was removed from between others is missed."""
    first = folder / "history" / NAME / "1.json"
    first.rename(first.with_name("2.json"))
    assert check(folder) == [f"history/{NAME}: the numbers have a hole"]


def test_check_names_a_file_of_no_type(folder: Path) -> None:
    """A type that leaves the catalogue leaves its files, which are then named."""
    remaining = {file: document for file, document in documents().items() if file != FILE}
    rule = "of no type in the catalogue; a type's version is never removed"
    assert check(folder, remaining) == [f"generated/{FILE}: {rule}", f"history/{NAME}: {rule}"]


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` fails and names the files until `generate` wrote them."""
    assert main(["check"], tmp_path) == 1
    assert f"generated/{FILE}: missing\n" in capsys.readouterr().out
    assert main(["generate"], tmp_path) == 0
    assert main(["check"], tmp_path) == 0
    assert capsys.readouterr().out == ""
    assert main([], tmp_path) == main(["other"], tmp_path) == USAGE_CODE
