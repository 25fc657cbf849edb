"""Each kind of change that would leave old records unread is named, and no harmless change is."""

from typing import Any

import pytest

from schemas.compatibility import incompatibilities

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
NULL = {"type": "null"}


def _object(properties: dict[str, Any], required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def _array(**more: Any) -> dict[str, Any]:
    return {"type": "array", **more}


def _refers(definition: dict[str, Any]) -> dict[str, Any]:
    return {**_object({"a": {"$ref": "#/$defs/A"}}), "$defs": {"A": definition}}


TREE = _refers(_object({"children": _array(items={"$ref": "#/$defs/A"})}))

HARMFUL = {
    "property removed": (_object({"a": TEXT}), _object({}), ["$.a: property removed"]),
    "property newly required": (_object({"a": TEXT}), _object({"a": TEXT}, ("a",)), ["$.a: newly required"]),
    "new property required": (_object({}), _object({"a": TEXT}, ("a",)), ["$.a: newly required"]),
    "object closed": (
        _object({}, additionalProperties=True),
        _object({}),
        ["$: unknown properties are not read any longer"],
    ),
    "rest narrowed": (
        _object({}, additionalProperties=TEXT),
        _object({}, additionalProperties=NUMBER),
        ["$.*: type string is not read any longer"],
    ),
    "new property met by old rest": (
        _object({}, additionalProperties=TEXT),
        _object({"a": NUMBER}, additionalProperties=TEXT),
        ["$.a: type string is not read any longer"],
    ),
    "type changed": (TEXT, NUMBER, ["$: type string is not read any longer"]),
    "number to integer": ({"type": "number"}, NUMBER, ["$: type number is not read any longer"]),
    "type set": ({}, TEXT, ["$: type any is not read any longer"]),
    "default changed": (
        _object({"a": {**TEXT, "default": "x"}}),
        _object({"a": {**TEXT, "default": "y"}}),
        ["$.a: default changed"],
    ),
    "default removed": (_object({"a": {**TEXT, "default": "x"}}), _object({"a": TEXT}), ["$.a: default changed"]),
    "maxLength lower": ({**TEXT, "maxLength": 2}, {**TEXT, "maxLength": 1}, ["$: maxLength narrowed"]),
    "maxLength new": (TEXT, {**TEXT, "maxLength": 1}, ["$: maxLength narrowed"]),
    "minLength new": (TEXT, {**TEXT, "minLength": 1}, ["$: minLength narrowed"]),
    "minimum higher": ({**NUMBER, "minimum": 0}, {**NUMBER, "minimum": 1}, ["$: minimum narrowed"]),
    "minimum new": (NUMBER, {**NUMBER, "minimum": 0}, ["$: minimum narrowed"]),
    "maximum lower": ({**NUMBER, "maximum": 2}, {**NUMBER, "maximum": 1}, ["$: maximum narrowed"]),
    "exclusiveMaximum new": (NUMBER, {**NUMBER, "exclusiveMaximum": 9}, ["$: exclusiveMaximum narrowed"]),
    "maxItems lower": (_array(maxItems=2), _array(maxItems=1), ["$: maxItems narrowed"]),
    "minItems new": (_array(), _array(minItems=1), ["$: minItems narrowed"]),
    "pattern changed": ({**TEXT, "pattern": "^a"}, {**TEXT, "pattern": "^b"}, ["$: pattern changed"]),
    "pattern new": (TEXT, {**TEXT, "pattern": "^a"}, ["$: pattern changed"]),
    "enum value removed": (
        {**TEXT, "enum": ["a", "b"]},
        {**TEXT, "enum": ["a"]},
        ["$: value 'b' is not read any longer"],
    ),
    "enum new": (TEXT, {**TEXT, "enum": ["a"]}, ["$: only some values are read any longer"]),
    "const changed": ({**TEXT, "const": "a"}, {**TEXT, "const": "b"}, ["$: value 'a' is not read any longer"]),
    "null removed": ({"anyOf": [TEXT, NULL]}, TEXT, ["$: type null is not read any longer"]),
    "alternative narrowed": (
        {"anyOf": [TEXT, NULL]},
        {"anyOf": [{**TEXT, "maxLength": 1}, NULL]},
        ["$: maxLength narrowed"],
    ),
    "beside the alternatives": (
        {"anyOf": [TEXT, NULL]},
        {"anyOf": [TEXT, NULL], "maxLength": 1},
        ["$: maxLength narrowed", "$: maxLength narrowed"],
    ),
    "items narrowed": (_array(items=TEXT), _array(items=NUMBER), ["$[]: type string is not read any longer"]),
    "items closed": (_array(items=TEXT), _array(items=False), ["$[]: nothing is read any longer"]),
    "prefix narrowed": (
        _array(prefixItems=[TEXT, TEXT], maxItems=2),
        _array(prefixItems=[TEXT, NUMBER], maxItems=2),
        ["$[1]: type string is not read any longer"],
    ),
    "prefix before items": (
        _array(items=TEXT),
        _array(prefixItems=[NUMBER], items=TEXT),
        ["$[0]: type string is not read any longer"],
    ),
    "definition narrowed": (
        _refers(TEXT),
        _refers({**TEXT, "maxLength": 1}),
        ["$.a: maxLength narrowed"],
    ),
    "recursive definition narrowed": (
        TREE,
        _refers(_object({"children": _array(items={"$ref": "#/$defs/A"}, maxItems=1)})),
        ["$.a.children: maxItems narrowed"],
    ),
    "unknown keyword": (TEXT, {**TEXT, "format": "date"}, ["$: format is not understood by this check"]),
    "unknown structure": (
        {"oneOf": [TEXT]},
        {"oneOf": [TEXT]},
        ["$: oneOf is not understood by this check"],
    ),
    "list of types": (
        {"type": ["string", "null"]},
        {"type": ["string", "null"]},
        ["$: a list of types is not understood by this check"],
    ),
}

HARMLESS = {
    "the same": (_object({"a": TEXT}, ("a",)), _object({"a": TEXT}, ("a",))),
    "optional property added": (_object({}), _object({"a": {**TEXT, "default": ""}})),
    "no longer required": (_object({"a": TEXT}, ("a",)), _object({"a": {**TEXT, "default": ""}})),
    "object opened": (_object({}), _object({}, additionalProperties=True)),
    "property taken by the rest": (_object({"a": TEXT}), _object({}, additionalProperties=TEXT)),
    "words changed": ({**TEXT, "title": "A", "description": "a"}, {**TEXT, "title": "B", "examples": ["b"]}),
    "integer to number": (NUMBER, {"type": "number"}),
    "bounds widened": (
        {**NUMBER, "minimum": 1, "maximum": 2},
        {**NUMBER, "minimum": 0, "maximum": 3},
    ),
    "bounds removed": ({**TEXT, "minLength": 1, "maxLength": 2, "pattern": "a"}, TEXT),
    "least length of nothing": (TEXT, {**TEXT, "minLength": 0}),
    "enum widened": ({**TEXT, "enum": ["a"]}, {**TEXT, "enum": ["a", "b"]}),
    "const to enum": ({**TEXT, "const": "a"}, {**TEXT, "enum": ["a", "b"]}),
    "enum lifted": ({**TEXT, "enum": ["a"]}, TEXT),
    "null added": (TEXT, {"anyOf": [TEXT, NULL]}),
    "alternatives in another order": ({"anyOf": [NULL, TEXT]}, {"anyOf": [TEXT, NULL]}),
    "more items": (_array(items=TEXT, maxItems=1), _array(items=TEXT, maxItems=2)),
    "prefix beyond the longest": (_array(items=TEXT, maxItems=1), _array(prefixItems=[TEXT, NUMBER], maxItems=2)),
    "definition written in place": (_refers(TEXT), _object({"a": TEXT})),
    "recursion": (TREE, TREE),
    "recursion to anything": (TREE, _object({"a": {}})),
    "everything": (TREE, {}),
    "known scalar of an unknown keyword": ({**TEXT, "format": "date"}, {**TEXT, "format": "date"}),
}


@pytest.mark.parametrize(("old", "new", "problems"), HARMFUL.values(), ids=HARMFUL)
def test_harmful_change(old: dict[str, Any], new: dict[str, Any], problems: list[str]) -> None:
    """A change that leaves an old record unread, or read as something else, is named with its place."""
    assert incompatibilities(old, new) == problems


@pytest.mark.parametrize(("old", "new"), HARMLESS.values(), ids=HARMLESS)
def test_harmless_change(old: dict[str, Any], new: dict[str, Any]) -> None:
    """A change that reads all that the old schema allowed is no problem."""
    assert incompatibilities(old, new) == []
