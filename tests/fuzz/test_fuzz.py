"""A short run of the fuzzer; `make fuzz` is the long one."""

from consumers.tokens.rules import Rule
from tests.fuzz.campaign import run

INPUTS = 20_000
DEEP = (Rule.BAD_SIGNATURE, Rule.AUDIENCE, Rule.ACTOR, Rule.NOT_YET_VALID, Rule.EXPIRED, Rule.DELEGATION, Rule.USER)
"""Rules that only inputs which are good as far as that can reach."""


def test_no_input_breaks_a_contract() -> None:
    """Every changed input is refused by a name, and the changes reach the last rules."""
    report = run(INPUTS, seed=2013)
    assert report.faults == []
    assert report.outcomes.total() == INPUTS
    assert report.outcomes["token, unchanged: accepted"] > 0
    assert [rule for rule in DEEP if not report.outcomes[f"token: {rule}"]] == []
