"""Whether a schema reads all that an earlier one could have written (BACKWARD, checked against every earlier one).

Knows the part of JSON Schema that pydantic generates from our models. What it does not know in the newer schema it
names as a problem, so that a new keyword is met here first. It may name a harmless change, never miss a harmful one.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

_ANNOTATIONS: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "examples"})
_COMPARED: Final = frozenset(
    {"$ref", "type", "enum", "const", "anyOf", "pattern", "properties", "required", "additionalProperties"}
    | {"items", "prefixItems"}
)
_UPPER: Final = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")
_LOWER: Final = ("minLength", "minItems", "minimum", "exclusiveMinimum")
_KNOWN: Final = _ANNOTATIONS | _COMPARED | {*_UPPER, *_LOWER}
_LENGTHS: Final = frozenset({"minLength", "minItems"})

Schema = Mapping[str, Any]


def incompatibilities(old_schema: Schema, new_schema: Schema) -> list[str]:
    """Return what `old_schema` allows to be written and `new_schema` does not read, each with its place."""
    comparison = _Comparison(old_schema.get("$defs", {}), new_schema.get("$defs", {}), frozenset())
    return list(comparison.schemas(old_schema, new_schema, "$"))


class _Comparison(NamedTuple):
    """Both sides' definitions, and the pairs of references that are being compared already."""

    old_defs: Mapping[str, Any]
    new_defs: Mapping[str, Any]
    open: frozenset[tuple[str, str]]

    def schemas(self, old: Schema | bool, new: Schema | bool, at: str) -> Iterator[str]:
        written, read = _schema(old), _schema(new)
        if written is None:
            return
        if read is None:
            yield f"{at}: nothing is read any longer"
            return
        pair = (written.get("$ref", ""), read.get("$ref", ""))
        if pair in self.open:
            return
        deeper = self._replace(open=self.open | {pair}) if all(pair) else self
        reads = list(_alternatives(read, self.new_defs))
        for alternative in _alternatives(written, self.old_defs):
            yield from deeper._one_of(alternative, reads, at)

    def _one_of(self, written: Schema, reads: list[Schema], at: str) -> Iterator[str]:
        same = [one for one in reads if _reads_type(written, one)]
        if not same:
            yield f"{at}: type {written.get('type', 'any')} is not read any longer"
            return
        found = [list(self._single(written, one, at)) for one in same]
        yield from min(found, key=len)

    def _single(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        if not set(new) - _ANNOTATIONS:
            return
        yield from _values(old, new, at)
        yield from _bounds(old, new, at)
        yield from _unknown(old, new, at)
        if "pattern" in new and old.get("pattern") != new["pattern"]:
            yield f"{at}: pattern changed"
        if old.get("type") in ("object", None):
            yield from self._objects(old, new, at)
        if old.get("type") in ("array", None):
            yield from self._arrays(old, new, at)

    def _objects(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        olds, news = old.get("properties", {}), new.get("properties", {})
        old_rest, new_rest = old.get("additionalProperties", True), new.get("additionalProperties", True)
        required = set(old.get("required", ()))
        for name in sorted(set(new.get("required", ())) - required):
            yield f"{at}.{name}: newly required"
        for name in sorted({*olds, *news}):
            written = olds.get(name, old_rest)
            if written is not False and news.get(name, new_rest) is False:
                yield f"{at}.{name}: property removed"
                continue
            yield from self.schemas(written, news.get(name, new_rest), f"{at}.{name}")
            if name in olds and name in news and name not in required and _default(olds[name]) != _default(news[name]):
                yield f"{at}.{name}: default changed"
        if old_rest is not False and new_rest is False:
            yield f"{at}: unknown properties are not read any longer"
        else:
            yield from self.schemas(old_rest, new_rest, f"{at}.*")

    def _arrays(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        olds, news = old.get("prefixItems", []), new.get("prefixItems", [])
        old_rest, new_rest = old.get("items", True), new.get("items", True)
        longest = old.get("maxItems", float("inf"))
        fixed = max(len(olds), len(news))
        for place in range(fixed):
            if place < longest:
                written = olds[place] if place < len(olds) else old_rest
                read = news[place] if place < len(news) else new_rest
                yield from self.schemas(written, read, f"{at}[{place}]")
        if fixed < longest:
            yield from self.schemas(old_rest, new_rest, f"{at}[]")


def _schema(schema: Schema | bool) -> Schema | None:
    """True is the schema that takes all, False the one that takes nothing."""
    if isinstance(schema, bool):
        return {} if schema else None
    return schema


def _resolved(schema: Schema, definitions: Mapping[str, Any]) -> Schema:
    """Follow `$ref`, with what stands beside it on top."""
    while "$ref" in schema:
        target = definitions[str(schema["$ref"]).removeprefix("#/$defs/")]
        schema = {**target, **{name: value for name, value in schema.items() if name != "$ref"}}
    return schema


def _alternatives(schema: Schema, definitions: Mapping[str, Any]) -> Iterator[Schema]:
    """Flatten `anyOf`; what stands beside it holds for every alternative."""
    schema = _resolved(schema, definitions)
    if "anyOf" not in schema:
        yield schema
        return
    beside = {name: value for name, value in schema.items() if name != "anyOf" and name not in _ANNOTATIONS}
    for one in schema["anyOf"]:
        for alternative in _alternatives(one, definitions):
            twice = {f"{name} beside anyOf": [value] for name, value in beside.items() if name in alternative}
            yield {**alternative, **beside, **twice}


def _reads_type(old: Schema, new: Schema) -> bool:
    types = (old.get("type"), new.get("type"))
    return types[1] is None or types[0] == types[1] or types == ("integer", "number")


def _default(schema: Schema | bool) -> object:
    return (_schema(schema) or {}).get("default", "no default")


def _allowed(schema: Schema) -> list[Any] | None:
    found: list[Any] | None = [schema["const"]] if "const" in schema else schema.get("enum")
    return found


def _values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    olds, news = _allowed(old), _allowed(new)
    if news is None:
        return
    if olds is None:
        yield f"{at}: only some values are read any longer"
        return
    for value in olds:
        if value not in news:
            yield f"{at}: value {value!r} is not read any longer"


def _bounds(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for name in _UPPER:
        if name in new and (name not in old or new[name] < old[name]):
            yield f"{at}: {name} narrowed"
    for name in _LOWER:
        least = old.get(name, 0 if name in _LENGTHS else float("-inf"))
        if name in new and new[name] > least:
            yield f"{at}: {name} narrowed"


def _unknown(old: Schema, new: Schema, at: str) -> Iterator[str]:
    if isinstance(new.get("type"), list):
        yield f"{at}: a list of types is not understood by this check"
    for name in sorted(set(new) - _KNOWN):
        if isinstance(new[name], dict | list) or old.get(name) != new[name]:
            yield f"{at}: {name} is not understood by this check"
