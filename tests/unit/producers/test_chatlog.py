"""The conversion of chat logs, rule by rule, and what it refuses."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from producers.chatline import ChatLogError
from producers.chatlog import Tally, convert
from producers.chatlog_events import source_of
from producers.lines import read_lines
from producers.topics import Topics
from schemas import events
from schemas.catalogue import Stream
from schemas.envelope import Event, decode

TOPICS = Topics("p2p", "conf", "contacts")
STREAMS = {"p2p": Stream.CONVERSATIONS, "conf": Stream.CONFERENCES}
FILES = ("chatterbot.jsonl.gz", "duraspace.jsonl.gz", "naughty.jsonl.gz", "ubuntu_threads.jsonl.gz")


def line(kind: str, handle: str, order: int = 0, **more: Any) -> bytes:
    fields = {"source": "s", "conversation": "c", "kind": kind, "at": "2020-01-01T00:00:00Z", "from": handle}
    text = {"text": f"said {order}"} if kind in {"message", "topic"} else {}
    return json.dumps({**fields, **text, "order": order, **more}).encode()


def converted(*lines: bytes) -> tuple[list[Event], Tally]:
    tally = Tally()
    return [decode(record, STREAMS[record.topic]) for record in convert(lines, TOPICS, tally)], tally


def kinds(found: list[Event]) -> list[str]:
    return [event.type.split(".", 1)[1].removesuffix(".v1") for event in found]


def test_two_handles_that_write_are_a_conversation() -> None:
    """Both are present from the start, which the first sender made; the times are the first and the last line's."""
    found, tally = converted(
        line("message", "Ann", 0, at="2020-01-01T00:05:00Z"), line("message", "bob", 1, at="2020-01-01T00:01:00.5Z")
    )
    assert kinds(found) == [
        "conversation.started",
        "conversation.message",
        "conversation.message",
        "conversation.ended",
    ]
    started = found[0].data
    assert isinstance(started, events.ConversationStarted)
    assert started.initiator == "sip:_41nn@chat.example"
    assert [(person.sip, person.name) for person in started.participants] == [
        ("sip:_41nn@chat.example", "Ann"),
        ("sip:bob@chat.example", "bob"),
    ]
    assert [event.at[14:] for event in found] == ["05:00Z", "05:00Z", "01:00.5Z", "01:00.5Z"]
    assert tally == Tally(conversations=1, messages=2, records=4)


def test_ids_follow_from_the_conversation_alone() -> None:
    """Thread, event ids and source are the same whenever the same log is converted."""
    found, _ = converted(line("message", "a"), line("message", "b", 1))
    thread = "2e7d2c03a9507ae265ecf5b5356885a5"
    assert found[0].data.thread == thread  # type: ignore[attr-defined]
    assert [event.id for event in found] == [f"{thread}-{number}" for number in (1, 2, 3, 4)]
    assert {event.source for event in found} == {"/chatlog/s"}
    assert {event.data.conversation for event in found} == {"c"}


@pytest.mark.parametrize("lines", [["a"], ["a", "b", "c"], ["a", "a"]])
def test_one_handle_or_three_are_a_conference(lines: list[str]) -> None:
    """Only exactly two handles make a two-party conversation."""
    found, tally = converted(*(line("message", handle, order) for order, handle in enumerate(lines)))
    assert kinds(found)[0] == "conference.activated"
    assert tally.conferences == 1


@pytest.mark.parametrize("kind", ["join", "leave", "rename", "topic"])
def test_two_handles_that_do_more_than_write_are_a_conference(kind: str) -> None:
    """A join, leave, rename or topic makes it one."""
    found, _ = converted(line("message", "a"), line("message", "b", 1), line(kind, "a", 2, to="z"))
    assert kinds(found)[0] == "conference.activated"


def test_presence_at_a_conference() -> None:
    """Each rule of the contract once: repeated joins, silent joiners, absent leavers, renames, topics."""
    found, tally = converted(
        line("join", "a", 0),
        line("join", "a", 1),
        line("message", "b", 2),
        line("leave", "x", 3),
        line("topic", "d", 4),
        line("rename", "a", 5, to="b"),
        line("rename", "y", 6, to="e"),
        line("leave", "b", 7),
    )
    assert kinds(found) == [
        "conference.activated",
        "conference.joined",
        "conference.joined",
        "conference.message",
        "conference.joined",
        "conference.topic",
        "conference.left",
        "conference.joined",
        "conference.left",
        "conference.ended",
    ]
    assert found[7].data.participant.name == "e"  # type: ignore[attr-defined]
    assert tally == Tally(conferences=1, messages=1, ignored_leaves=2, records=10)


def test_conversations_come_by_their_first_lines() -> None:
    """One whole conversation after the other, however their lines are mixed; blank lines are no lines."""
    found, _ = converted(
        line("message", "a", 1, conversation="two"),
        line("message", "b", 0, conversation="one"),
        b"",
        line("join", "b", 0, conversation="two"),
    )
    assert list(dict.fromkeys(event.data.conversation for event in found)) == ["two", "one"]
    assert kinds(found)[1:3] == ["conference.joined", "conference.joined"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"{", "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (line("message", "a", 1, text=None), "text: a message needs one"),
        (line("rename", "a", 1), "to: a rename needs one"),
        (line("wave", "a", 1), "kind: "),
        (line("message", "a", 0), "order: the conversation has it twice"),
        (line("message", "a", -1), "order: "),
        (b'{"source":"s","conversation":"c","kind":"join","at":"","from":"a","order":"1"}', "order: "),
        (line("message", "a", 1, at="yesterday"), "at: the time is not RFC 3339"),
        (line("message", "a", 1, at="2020-02-30T00:00:00Z"), "at: the time does not exist"),
        (line("message", "é" * 200, 1), "from: its address would have more than 1024 characters"),
        (line("rename", "a", 1, to="é" * 200), "to: its address would have more than 1024 characters"),
        (line("message", "a" * 513, 1), "from: "),
        (line("message", "a", 1, conversation="x" * 513), "conversation: "),
        (line("message", "a", 1, conversation="x\u2028y"), "conversation: "),
        (line("message", "a", 1, text="\x00" * 200_000), "text: its record would have more than"),
        (b'{"from":"\\ud800"}', "it is not JSON"),
    ],
)
def test_what_is_no_chat_log_is_named_by_its_line(broken: bytes, reason: str) -> None:
    """The error names line and field and repeats nothing that somebody said."""
    with pytest.raises(ChatLogError, match=r"^line 2 of the chat log: ") as error:
        converted(line("message", "a"), broken)
    assert error.value.line == 2
    assert error.value.reason.startswith(reason)
    assert "said" not in str(error.value)


def test_fields_that_are_not_known_are_ignored() -> None:
    """A log may say more than the converter reads."""
    found, _ = converted(line("message", "a", at_inferred=True, reason="x", mood={"a": [1]}))
    assert len(found) == 4


@pytest.mark.parametrize("name", ["", "a b/ü", "x" * 600, "€" * 200, "x" * 501 + "€", "x" * 502 + "€"])
def test_a_source_is_a_short_uri_reference(name: str) -> None:
    """A source is cut to the limit, never inside an escape."""
    source = source_of(name)
    assert source.isascii()
    assert len(source) <= 512
    assert source.startswith("/chatlog/")
    assert all(len(escape) >= 2 for escape in source.split("%")[1:])


@pytest.mark.parametrize("name", FILES)
def test_every_recorded_chat_converts(name: str, recorded: Path) -> None:
    """Each record decodes, sequences have no holes, and every message that was typed is there, verbatim."""
    tally = Tally()
    found = [decode(record, STREAMS[record.topic]) for record in convert(read_lines(recorded / name), TOPICS, tally)]
    typed = Counter(
        (entry["conversation"], entry["text"])
        for entry in map(json.loads, read_lines(recorded / name))
        if entry["kind"] == "message"
    )
    said = Counter(
        (event.data.conversation, event.data.text)
        for event in found
        if isinstance(event.data, events.ConversationMessage | events.ConferenceMessage)
    )
    assert said == typed
    last: dict[str, int] = {}
    for event in found:
        assert event.sequence == last.get(event.data.conversation, 0) + 1
        last[event.data.conversation] = event.sequence
    assert tally.records == len(found)
