"""The conversations a lane has at hand."""

from consumers.conversation import Conversation
from consumers.transitions import Kind
from consumers.working_set import WorkingSet


def named(*names: str) -> list[Conversation]:
    return [Conversation(name, Kind.CONVERSATION) for name in names]


def test_the_least_recently_used_is_forgotten() -> None:
    """Beyond the limit, the conversation that was asked for longest ago goes first."""
    known = WorkingSet(3)
    known.add(named("a", "b", "c"))
    assert known.missing(["a"]) == []
    known.add(named("d"))
    assert list(known) == ["c", "a", "d"]
    assert len(known) == 3
    assert known.missing(["b", "d"]) == ["b"]


def test_a_newer_state_replaces_an_older_one() -> None:
    """What is added last is what is at hand."""
    known = WorkingSet(2)
    known.add(named("a", "b"))
    newer = Conversation("a", Kind.CONVERSATION, revision=7)
    known.add([newer])
    assert known["a"] is newer
    assert list(known) == ["b", "a"]


def test_clear_forgets_everything() -> None:
    """After a doubt nothing is at hand."""
    known = WorkingSet(2)
    known.add(named("a"))
    known.clear()
    assert known.get("a") is None
    assert not known
