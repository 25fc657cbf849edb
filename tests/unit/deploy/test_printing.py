"""How values are printed for people."""

import pytest

from deploy.cli.printing import cell


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), ([], "-"), (True, "yes"), (False, "no"), (["a", "b"], "a, b"), (0, "0"), ("", "")],
)
def test_a_cell_has_no_python_in_it(value: object, text: str) -> None:
    """Nothing is printed as Python writes it; numbers and texts stay as they are."""
    assert cell(value) == text
