"""Small changes to text, bytes and JSON documents, chosen by a seeded generator. Knows nothing of tokens."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

SIGNS: Final = ".=-_+/ \n\t\0{}[]\":,'eAZaz09\u0435\uff11\u212a\u202e\ud800\U0001f98a"
"""What is inserted: signs that mean something to a parser, look-alikes, and what no encoding takes."""

ODD: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**63,
    10**400,
    float("nan"),
    float("inf"),
    "",
    "none",
    "true",
    "0",
    "*",
    "\0",
    "\ud800",
    "NaN",
    "１７",
    [],
    {},
    [[]],
    {"a": {}},
    "x" * 600,
)
"""Values of other types, at limits, and that other parsers take for others."""


def change_text(rng: Random, text: str, others: Sequence[str]) -> str:
    """Return the text after one to three small changes; `others` lend pieces."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        text = rng.choice(_TEXT_CHANGES)(rng, text, rng.choice(others))
    return text


def change_bytes(rng: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Return the bytes after one to three small changes; `others` lend pieces."""
    text = change_text(rng, content.decode("latin-1"), [other.decode("latin-1") for other in others])
    return text.encode("latin-1" if text.isascii() or rng.random() < 0.5 else "utf-8", errors="replace")


def change_document(rng: Random, document: dict[str, Any]) -> bytes:
    """Return the JSON text of the object after one change somewhere inside, which may break it as JSON."""
    document = json.loads(json.dumps(document))
    target: Any = document
    while isinstance(target, dict | list) and target:
        place = rng.choice(list(target) if isinstance(target, dict) else range(len(target)))
        if not isinstance(target[place], dict | list) or rng.random() < 0.3:
            _change_member(rng, target, place)
            break
        target = target[place]
    text = json.dumps(document, ensure_ascii=rng.random() < 0.9)
    if rng.random() < 0.1:
        name = rng.choice(list(document) or ["a"])
        text = f"{{{json.dumps(name)}:{json.dumps(rng.choice(ODD))},{text[1:]}"
    if rng.random() < 0.01:
        text = f'{{"a":{"[" * 6_000},{text[1:]}'
    return text.encode(errors="surrogatepass")


def _change_member(rng: Random, target: Any, place: Any) -> None:
    value = target[place]
    match rng.randrange(6):
        case 0:
            del target[place]
        case 1 if isinstance(target, dict):
            target[rng.choice((place.upper(), f"{place}\u0435", rng.choice(SIGNS)))] = target.pop(place)
        case 2 if isinstance(value, str) and value:
            target[place] = change_text(rng, value, [value])
        case 3:
            target[place] = [value]
        case 4 if isinstance(value, str) and value.isascii() and value.isdigit():
            target[place] = rng.choice(
                (
                    int(value),
                    float(value),
                    str(int(value) + rng.choice((-1, 1)) * rng.randrange(10 ** rng.randrange(2, 8))),
                )
            )
        case _:
            target[place] = rng.choice(ODD)


def _place(rng: Random, text: str) -> int:
    return rng.randrange(len(text) + 1)


def _flip(rng: Random, text: str, _: str) -> str:
    at = _place(rng, text)
    return text[:at] + chr(ord(text[at]) ^ (1 << rng.randrange(7))) + text[at + 1 :] if at < len(text) else text


def _insert(rng: Random, text: str, _: str) -> str:
    at = _place(rng, text)
    return text[:at] + rng.choice(SIGNS) * rng.choice((1, 1, 1, 2, 4)) + text[at:]


def _replace(rng: Random, text: str, _: str) -> str:
    at = _place(rng, text)
    return text[:at] + rng.choice(SIGNS) + text[at + 1 :]


def _remove(rng: Random, text: str, _: str) -> str:
    at = _place(rng, text)
    return text[:at] + text[at + rng.choice((1, 1, 2, 4, 50)) :]


def _cut(rng: Random, text: str, _: str) -> str:
    at = _place(rng, text)
    return rng.choice((text[:at], text[at:]))


def _repeat(rng: Random, text: str, _: str) -> str:
    at, end = sorted((_place(rng, text), _place(rng, text)))
    return text[:end] + text[at:end] * rng.choice((1, 1, 1, 20)) + text[end:]


def _splice(rng: Random, text: str, other: str) -> str:
    return text[: _place(rng, text)] + other[_place(rng, other) :]


def _swap_parts(rng: Random, text: str, other: str) -> str:
    """Exchange, or take from the other, whatever stands between dots."""
    parts, lent = text.split("."), other.split(".")
    at = rng.randrange(len(parts))
    if rng.random() < 0.5:
        parts[at] = rng.choice(lent)
    else:
        with_ = rng.randrange(len(parts))
        parts[at], parts[with_] = parts[with_], parts[at]
    return ".".join(parts)


_TEXT_CHANGES: Final[tuple[Callable[[Random, str, str], str], ...]] = (
    _flip,
    _insert,
    _replace,
    _remove,
    _cut,
    _repeat,
    _splice,
    _swap_parts,
)
