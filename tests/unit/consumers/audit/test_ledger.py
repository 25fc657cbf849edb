"""What entries come to: where lanes stand, whatever moved them."""

from typing import Any

import pytest

from consumers.audit.journal import ACTS, Act, Head, write_entry
from consumers.audit.ledger import Ledger
from tests.support.audit import SIGNER

LANE = "lync.conversations/0"
Order = tuple[int, int, int]
"""From where, to where, and the number of the log that goes on there."""


def ledger(orders: list[Order], commits: list[Order]) -> tuple[Ledger, list[str]]:
    """Return a ledger of these orders and commits, and what is wrong with the commits."""
    found, wrong = Ledger(), []
    for start, to, log in orders:
        facts = {"order": f"{start}", "digest": "", "lane": LANE, "start": start, "to": to, "topic_id": "t", "log": log}
        found.take(write_entry(ACTS, Head(), Act.SKIP, facts, SIGNER))
    for start, end, log in commits:
        wrong.append(found.take(write_entry(LANE, Head(), Act.COMMIT, commit(start, end, log), SIGNER)))
    found.close()
    return found, [problem for problem in wrong if problem]


def commit(start: int, end: int, log: int) -> dict[str, Any]:
    who = {"by": "lync@contoso.example", "token": "t1", "policies": 0}
    nothing = {"counts": [end - start, 0, 0], "watermark": None, "quarantine": [], "segments": [0, ""], "stubs": []}
    return {"start": start, "end": end, "topic_id": "t", "log": log, **who, **nothing}


@pytest.mark.parametrize(
    ("orders", "commits", "stands"),
    [
        ([], [(0, 5, 0), (5, 7, 0)], (7, 0)),
        ([(5, 9, 0)], [(0, 5, 0), (9, 10, 0)], (10, 0)),
        ([(5, 9, 0)], [(0, 5, 0)], (9, 0)),
        ([(5, 9, 0), (9, 11, 0)], [(0, 5, 0), (11, 12, 0)], (12, 0)),
        ([(5, 0, 1)], [(0, 5, 0), (0, 3, 1)], (3, 1)),
        ([(5, 0, 1), (0, 0, 2)], [(0, 5, 0), (0, 3, 2)], (3, 2)),
        ([(5, 0, 1), (0, 0, 2), (3, 4, 2)], [(0, 5, 0), (0, 3, 2)], (4, 2)),
        ([(5, 0, 1), (5, 0, 2)], [(0, 5, 0), (0, 5, 1), (0, 5, 2)], (5, 2)),
    ],
)
def test_orders_move_a_lane_between_its_commits(
    orders: list[Order], commits: list[Order], stands: tuple[int, int]
) -> None:
    """Each where it was given, however often offsets begin anew."""
    found, wrong = ledger(orders, commits)
    assert wrong == []
    assert (found.lanes[LANE].next, found.lanes[LANE].log) == stands


@pytest.mark.parametrize("commits", [[(0, 5, 0), (6, 7, 0)], [(0, 5, 0), (4, 7, 0)], [(0, 5, 0), (0, 7, 1)]])
def test_a_commit_that_does_not_go_on_is_wrong(commits: list[Order]) -> None:
    assert len(ledger([], commits)[1]) == 1
