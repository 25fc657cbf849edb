"""How values are printed for people."""

import pytest

from deploy.cli.printing import cell, counted


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), ([], "-"), (True, "yes"), (False, "no"), (["a", "b"], "a, b"), (0, "0"), ("", "")],
)
def test_a_cell_has_no_python_in_it(value: object, text: str) -> None:
    """Nothing is printed as Python writes it; numbers and texts stay as they are."""
    assert cell(value) == text


def test_a_number_has_its_noun() -> None:
    """In the plural unless it is 1."""
    assert [counted(number, "record") for number in (0, 1, 2)] == ["0 records", "1 record", "2 records"]
    assert [counted(number, "copy", "copies") for number in (0, 1, 2)] == ["0 copies", "1 copy", "2 copies"]
