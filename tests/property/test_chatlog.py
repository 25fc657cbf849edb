"""The conversion of chat logs against a model of presence that shares nothing with it."""

import json
from typing import Any, Final

from hypothesis import example, given
from hypothesis import strategies as st

from producers.chatlog import Tally, convert
from producers.handles import handle_of
from producers.topics import Topics
from schemas.catalogue import Stream
from schemas.envelope import Event, decode

TOPICS: Final = Topics()
STREAMS: Final = {TOPICS.conversations: Stream.CONVERSATIONS, TOPICS.conferences: Stream.CONFERENCES}
HANDLES: Final = st.sampled_from(("ann", "Bob", "", "c\u2028d"))
Line = dict[str, Any]

LINES: Final = st.fixed_dictionaries(
    {
        "conversation": st.sampled_from(("one", "two")),
        "kind": st.sampled_from(("message", "message", "message", "join", "leave", "rename", "topic")),
        "from": HANDLES,
        "to": HANDLES,
        "text": st.sampled_from(("hello", "", "a\nb\u2028c")),
        "minute": st.integers(0, 59),
    }
)


def written(lines: list[Line]) -> list[bytes]:
    return [
        json.dumps({**line, "source": "test", "at": f"2020-01-01T00:{line['minute']:02}:00Z", "order": order}).encode()
        for order, line in enumerate(lines)
    ]


def model(lines: list[Line]) -> list[tuple[str, str, str, frozenset[str]]]:
    """Return (kind, handle, text, who sees it) of every message and topic, by counting joins and leaves anew."""
    seen = []
    two = len({line["from"] for line in lines}) == 2 and {line["kind"] for line in lines} == {"message"}
    for index, line in enumerate(lines):
        if line["kind"] not in {"message", "topic"}:
            continue
        present = {line["from"] for line in lines} if two else set()
        for before in [] if two else lines[: index + 1]:
            if before["kind"] in {"leave", "rename"}:
                present -= {before["from"]}
            if before["kind"] != "leave":
                present |= {before["to"] if before["kind"] == "rename" else before["from"]}
        seen.append((line["kind"], line["from"], line["text"], frozenset(present)))
    return seen


def archived(events: list[Event]) -> list[tuple[str, str, str, frozenset[str]]]:
    """Return the same, as the events say it."""
    present: set[str] = set()
    seen = []
    for event in events:
        data: Any = event.data
        match event.type.removeprefix("lync.").removesuffix(".v1"):
            case "conversation.started":
                present |= {person.sip for person in data.participants}
            case "conference.joined":
                assert data.participant.sip not in present
                present.add(data.participant.sip)
            case "conference.left":
                present.remove(data.sip)
            case "conversation.message" | "conference.message" | "conference.topic" as kind:
                people = frozenset(map(handle_of, present))
                seen.append((kind.rpartition(".")[2], handle_of(data.sip), data.text, people))
    return seen


@given(lines=st.lists(LINES, min_size=1, max_size=25))
@example(lines=[{"conversation": "one", "kind": "rename", "from": "ann", "to": "ann", "text": "", "minute": 0}])
def test_everybody_present_sees_it_and_nobody_else(lines: list[Line]) -> None:
    """Content, order and audience of every entry are the model's (planted bug: a rename of somebody absent is lost)."""
    tally = Tally()
    records = list(convert(written(lines), TOPICS, tally))
    events = [decode(record, STREAMS[record.topic]) for record in records]
    conversations = list(dict.fromkeys(line["conversation"] for line in lines))
    assert list(dict.fromkeys(event.data.conversation for event in events)) == conversations
    for conversation in conversations:
        own = [event for event in events if event.data.conversation == conversation]
        theirs = [line for line in lines if line["conversation"] == conversation]
        assert archived(own) == model(theirs)
        assert [event.sequence for event in own] == list(range(1, len(own) + 1))
        assert len({event.id for event in own}) == len(own)
        assert (own[0].at[14:16], own[-1].at[14:16]) == (f"{theirs[0]['minute']:02}", f"{theirs[-1]['minute']:02}")
        assert own[-1].type.endswith(".ended.v1")
    assert tally.records == len(records)
    assert tally.messages == sum(line["kind"] == "message" for line in lines)
    assert tally.conversations + tally.conferences == len(conversations)


@given(lines=st.lists(LINES, min_size=1, max_size=12), data=st.data())
def test_the_order_field_is_the_truth(lines: list[Line], data: st.DataObject) -> None:
    """Shuffled lines give the same conversations (planted bug: leaving the lines in the order of the file)."""
    straight = written(lines)
    shuffled = data.draw(st.permutations(straight))
    assert sorted(convert(shuffled, TOPICS, Tally())) == sorted(convert(straight, TOPICS, Tally()))
