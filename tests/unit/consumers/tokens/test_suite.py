"""The hostile-token suite as a whole: large enough, and no rule of the verifier without a token that breaks it."""

from collections import Counter
from typing import Final

import pytest

from consumers.tokens.rules import Rule
from tests.support.hostile import Hostile
from tests.unit.consumers.tokens import (
    test_accepted,
    test_claims,
    test_form,
    test_header,
    test_signature_attacks,
    test_users,
)

REFUSED_MIN: Final = 120
ACCEPTED_MIN: Final = 30
TABLES: Final[tuple[dict[str, Hostile], ...]] = (
    test_form.CASES,
    test_header.CASES,
    test_signature_attacks.CASES,
    test_claims.CASES,
    test_users.CASES,
)


def test_there_are_enough_cases() -> None:
    """Named tokens that are refused, and named tokens that are accepted."""
    assert sum(map(len, TABLES)) >= REFUSED_MIN
    assert len(test_accepted.CASES) >= ACCEPTED_MIN


def test_every_case_has_a_name_of_its_own() -> None:
    """A name tells one attack, so no two tables, refused or accepted, have one in common."""
    names = Counter(test_accepted.CASES.keys())
    for table in TABLES:
        names.update(table.keys())
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_refuses_something(rule: Rule) -> None:
    """A rule that no token breaks is not proved to be there."""
    assert any(case.rule is rule for table in TABLES for case in table.values())
