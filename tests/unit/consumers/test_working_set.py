"""The conversations a lane has at hand."""

from consumers.conversation import Conversation
from consumers.transitions import Kind
from consumers.working_set import WorkingSet


def named(*names: str) -> list[Conversation]:
    return [Conversation(name, Kind.CONVERSATION) for name in names]


def test_the_least_recently_used_is_forgotten() -> None:
    """Beyond the limit, the conversation that was asked for longest ago goes first."""
    known = WorkingSet(3, 100)
    known.add(named("a", "b", "c"))
    assert known.missing(["a"]) == []
    known.add(named("d"))
    assert list(known) == ["c", "a", "d"]
    assert len(known) == 3
    assert known.missing(["b", "d"]) == ["b"]


def test_a_newer_state_replaces_an_older_one() -> None:
    """What is added last is what is at hand."""
    known = WorkingSet(2, 100)
    known.add(named("a", "b"))
    newer = Conversation("a", Kind.CONVERSATION, revision=7)
    known.add([newer])
    assert known["a"] is newer
    assert list(known) == ["b", "a"]


def of_size(name: str, parts: int) -> Conversation:
    """Return a conversation in which people came and went so often."""
    return Conversation(name, Kind.CONFERENCE, held=((1, parts - 1),))


def test_large_conversations_count_for_more() -> None:
    """Beyond the limit on parts, those of longest ago go, in whatever state they were added last."""
    known = WorkingSet(100, 10)
    known.add([of_size("a", 4)])
    known.add([of_size("b", 6)])
    assert list(known) == ["a", "b"]
    known.add([of_size("b", 7)])
    assert list(known) == ["b"]
    known.add([of_size("c", 3)])
    assert list(known) == ["b", "c"]


def test_what_was_added_last_stays() -> None:
    """Of the batch under way nothing is forgotten, since the store does not have it yet; of the one before it is."""
    known = WorkingSet(2, 10)
    known.add([of_size("a", 30), of_size("b", 30), *named("c")])
    assert list(known) == ["a", "b", "c"]
    known.add(named("d"))
    assert list(known) == ["c", "d"]


def test_clear_forgets_everything() -> None:
    """After a doubt nothing is at hand."""
    known = WorkingSet(2, 100)
    known.add(named("a"))
    known.clear()
    assert known.get("a") is None
    assert not known
