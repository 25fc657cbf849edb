"""How differences read: where, what, when and who; what people wrote only where it is given."""

from typing import Any

from deploy.verification.comparison import Difference, Verdict, entry_line
from deploy.verification.report import report, summary

PLACE = ("sip:ada@example.com", "lunch")
AT = "2026-11-23T12:00:00Z"


def entry(sequence: int, text: str) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "at": AT,
        "kind": "message",
        "sip": "sip:bob@example.com",
        "name": "Bob",
        "text": text,
    }


def test_counts_come_first() -> None:
    """All kinds, those that are not there too, and what there should be."""
    verdict = Verdict(expected=9, archived=6)
    for difference in (Difference("missing", *PLACE, pairs=2), Difference("altered", *PLACE, 3)):
        verdict.count(difference)
    assert summary(verdict) == (
        "2 missing, 0 duplicated, 0 misordered, 1 altered, 0 leaked; 6 of 9 entries are as they should be"
    )


def test_each_kind_has_its_line() -> None:
    """An entry is said with its sequence, a whole item and the quarantine without."""
    lunch, supper = entry_line(entry(2, "Lunch?")), entry(2, "Supper?")
    found = [
        Difference("missing", *PLACE, 2, wanted=lunch),
        Difference("altered", *PLACE, 2, wanted=lunch, found=supper),
        Difference("leaked", *PLACE, 2, found=supper),
        Difference("duplicated", *PLACE, 2, found=supper),
        Difference("misordered", *PLACE, 2, found=supper),
        Difference("altered", *PLACE, facts=("status", "gaps")),
        Difference("missing", *PLACE, pairs=2),
        Difference("leaked", "sip:eve@example.com", "lunch"),
        Difference("missing", "", "record 0a"),
        Difference("leaked", "", "record lync.conversations/0/7"),
    ]
    said = f"{AT}  message by sip:bob@example.com"
    assert list(report(found, 40)) == [
        "sip:ada@example.com, lunch",
        f"    missing        2  {said} #8414b3c5 (6 characters)",
        f"    altered        2  {said} #8414b3c5 (6 characters)  but it is {said} #f33c92b6 (7 characters)",
        f"    leaked         2  {said} #f33c92b6 (7 characters)",
        f"    duplicated     2  {said} #f33c92b6 (7 characters)",
        f"    misordered     2  {said} #f33c92b6 (7 characters)",
        "    altered    the item's status, gaps",
        "    missing    the whole item (2 entries)",
        "sip:eve@example.com, lunch",
        "    leaked     the whole item (1 entry)",
        "quarantine, record 0a",
        "    missing    a record that cannot be archived",
        "quarantine, record lync.conversations/0/7",
        "    leaked     a record that the recording does not have",
    ]


def test_texts_are_shown_where_they_are_given() -> None:
    """Escaped, so that none of them can move the terminal's cursor; one that is not given stays a hash."""
    lunch = entry_line(entry(2, "Lunch?"))
    found = [Difference("altered", *PLACE, 2, wanted=lunch, found=entry(2, "\x1b[2J"))]
    (_, line) = report(found, 40, {lunch: "Lunch?"})
    assert line.count("'Lunch?'") == 1
    assert line.endswith(r"'\x1b[2J'")
    assert "Lunch?" not in "".join(report(found, 40))
    assert "(6 characters)" in "".join(report(found, 40, {}))


def test_the_rest_is_counted() -> None:
    """No more lines than asked for, and how many differences they leave out."""
    found = [Difference("missing", *PLACE, number, entry_line(entry(number, ""))) for number in range(1, 8)]
    assert len(list(report(found, 3))) == 5
    assert list(report(found, 3))[-1] == "and 4 more"
    assert list(report([], 3)) == []
