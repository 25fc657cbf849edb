"""A hostile token as a case: how it is made, the world it is shown to, and the one rule that must refuse it."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import pytest

from consumers.tokens.rules import Rule, TokenRefused
from tests.support.tokens import World, world

REPEATED_CHARS: Final = 8
"""So much of a token in a refusal's text would tell somebody something."""


class Hostile(NamedTuple):
    """Made when it is tried, since keys cost time."""

    rule: Rule
    make: Callable[[], str]
    world: Callable[[], World] = world


def assert_refused(case: Hostile) -> None:
    """Show the token: exactly the named rule refuses it, and no text of the refusal repeats anything of it."""
    text = case.make()
    with pytest.raises(TokenRefused) as caught:
        case.world().judge(text)
    assert caught.value.rule is case.rule, caught.value.detail
    said = "\n".join(_said(caught.value))
    assert said.startswith(f"{case.rule}: ")
    assert not [piece for piece in pieces(text) if piece in said]


def _said(error: BaseException | None) -> Iterator[str]:
    """Everything that a log of the error and of what it came from could print."""
    while error is not None:
        yield str(error)
        yield repr((error, vars(error)))
        error = error.__cause__ or error.__context__


def pieces(text: str) -> Iterator[str]:
    """Yield every run of characters of the token, and of every value in it, that is long enough to tell something."""
    for secret in (text, *_values(text)):
        yield from (secret[at : at + REPEATED_CHARS] for at in range(len(secret) - REPEATED_CHARS + 1))


def _values(text: str) -> Iterator[str]:
    """Every value in the token's first two parts, and in those of tokens inside it."""
    for part in text.split(".")[:2]:
        try:
            found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except (ValueError, RecursionError):
            continue
        for leaf in _leaves(found):
            yield leaf
            if leaf.count(".") > 1:
                yield from _values(leaf)


def _leaves(value: Any) -> Iterator[str]:
    match value:
        case Mapping():
            for part in value.values():
                yield from _leaves(part)
        case list():
            for part in value:
                yield from _leaves(part)
        case _:
            yield str(value)
