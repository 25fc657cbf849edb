"""What `policy load` reads: changes of policies, one a line."""

import pytest

from consumers.policy.subject import Subject, SubjectKind
from deploy.errors import InvalidPolicy
from deploy.policies import read_lines


def test_the_last_line_counts() -> None:
    """Of several lines about one subject the last one counts; null removes."""
    lines = [
        '{"kind": "hold", "identity": "sip:A@contoso.example", "value": {"held": true}}',
        '{"kind": "hold", "identity": "sip:a@contoso.example", "value": null}',
    ]
    assert read_lines(lines) == {Subject(SubjectKind.HOLD, "sip:a@contoso.example"): None}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1 is no policy: it needs"),
        ("5", "line 1 is no policy: it needs"),
        ('{"kind": "hold", "identity": 5, "value": null}', "line 1 is no policy: it needs"),
        ('{"kind": "nothing", "identity": "global", "value": null}', "line 1 is no policy: it needs"),
        ('{"kind": "hold", "identity": "sip:a@contoso.example", "value": 5}', "neither an object nor null"),
        ('{"kind": "hold", "identity": "sip:a@contoso.example", "value": ["ab"]}', "neither an object nor null"),
    ],
)
def test_any_other_line_is_refused(line: str, said: str) -> None:
    """In a sentence that names the line."""
    with pytest.raises(InvalidPolicy, match=said):
        read_lines([line])


def test_a_file_without_lines_is_refused() -> None:
    """Nothing would be changed, which is hardly what was meant."""
    with pytest.raises(InvalidPolicy, match="there are no lines"):
        read_lines([])
