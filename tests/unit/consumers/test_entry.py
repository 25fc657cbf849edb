"""The line that each type of event makes."""

from typing import Any

import pytest

from consumers.entry import EntryKind, entry_of
from schemas import events as ev
from schemas import meetings as mt
from schemas.catalogue import ENDERS, MODELS, OPENERS, EventType
from schemas.events import EventData, Role
from tests import builders as b
from tests.builders import ALICE, BOB, CAROL

PLAN = b.reference(b"hello")

LINES: list[tuple[type[EventData], dict[str, Any], EntryKind, str, str]] = [
    (ev.ConferenceJoined, {}, EntryKind.JOIN, ALICE.sip, ""),
    (ev.ConferenceLeft, {}, EntryKind.LEAVE, ALICE.sip, ""),
    (ev.ConferenceMessage, {}, EntryKind.MESSAGE, ALICE.sip, "hello"),
    (ev.ConferenceTopic, {}, EntryKind.TOPIC, ALICE.sip, "hello"),
    (ev.ConferenceContentUploaded, {}, EntryKind.CONTENT, ALICE.sip, "plan.txt"),
    (ev.ConferenceWhiteboardSnapshot, {}, EntryKind.WHITEBOARD, ALICE.sip, "plan.txt"),
    (mt.ConferenceJoinedV2, {}, EntryKind.JOIN, ALICE.sip, ""),
    (mt.ConferenceRoleChanged, {"role": Role.ATTENDEE}, EntryKind.ROLE, ALICE.sip, "attendee"),
    (mt.ConferenceLobbyEntered, {"participant": CAROL}, EntryKind.LOBBY, CAROL.sip, "entered"),
    (mt.ConferenceLobbyAdmitted, {}, EntryKind.LOBBY, ALICE.sip, "admitted"),
    (mt.ConferenceLobbyDenied, {}, EntryKind.LOBBY, ALICE.sip, "denied"),
    (mt.ConferenceEjected, {}, EntryKind.EJECT, ALICE.sip, ""),
    (mt.ConferenceLocked, {}, EntryKind.LOCK, ALICE.sip, "locked"),
    (mt.ConferenceLocked, {"locked": False}, EntryKind.LOCK, ALICE.sip, "unlocked"),
    (mt.ConferenceModalityJoined, {}, EntryKind.MODALITY, ALICE.sip, "joined audio"),
    (
        mt.ConferenceModalityLeft,
        {"modality": mt.ConferenceModality.APPLICATION_SHARING},
        EntryKind.MODALITY,
        ALICE.sip,
        "left application-sharing",
    ),
    (mt.ConferenceContentVisibility, {}, EntryKind.CONTENT, ALICE.sip, "plan.txt"),
    (mt.ConferenceContentRemoved, {}, EntryKind.CONTENT_REMOVED, ALICE.sip, "plan.txt"),
    (
        mt.ConferencePollOpened,
        {"question": " Ready?\r\n", "choices": ("1. yes", "no ")},
        EntryKind.POLL,
        ALICE.sip,
        " Ready?\r\n\n1. 1. yes\n2. no ",
    ),
    (mt.ConferencePollTallied, {}, EntryKind.POLL_RESULT, "", "3, 4"),
    (mt.ConferencePollVisibility, {"tally": (0, 12, 5)}, EntryKind.POLL_RESULT, ALICE.sip, "0, 12, 5"),
    (mt.ConferencePollClosed, {}, EntryKind.POLL_CLOSED, ALICE.sip, ""),
    (mt.ConferenceQuestionAsked, {}, EntryKind.QUESTION, ALICE.sip, "hello"),
    (mt.ConferenceQuestionAnswered, {}, EntryKind.ANSWER, ALICE.sip, "hello"),
    (mt.ConferenceNotesLinked, {}, EntryKind.NOTES, ALICE.sip, "Notes\nhttps://notes.contoso.com/1"),
    (mt.ConferenceSharingStarted, {}, EntryKind.SHARING, ALICE.sip, "started desktop"),
    (mt.ConferenceSharingStopped, {}, EntryKind.SHARING, ALICE.sip, "stopped desktop"),
    (mt.ConferenceDeliveryFailed, {}, EntryKind.DELIVERY_FAILED, ALICE.sip, f"{BOB.sip}, {CAROL.sip}"),
]


@pytest.mark.parametrize(("model", "facts", "kind", "sip", "text"), LINES)
def test_lines(model: type[EventData], facts: dict[str, Any], kind: EntryKind, sip: str, text: str) -> None:
    """Who did it or whom it is about, and what people wrote verbatim; a file's line refers to the file."""
    data = b.example(model).model_copy(update=facts)
    line = entry_of(b.event(2, data))
    assert line is not None
    assert (line.sequence, line.at, line.kind, line.sip, line.text) == (2, b.at(2), kind, sip, text)
    assert line.content == (PLAN if "content" in model.model_fields else None)


def test_every_type_of_a_conference_has_its_line() -> None:
    """But for beginning and end, which are times of the item."""
    named = {name for name in EventType if name.startswith("lync.conference.")}
    assert {model for model, *_ in LINES} == {MODELS[name] for name in named - OPENERS - ENDERS}
    assert entry_of(b.event(1, b.activated())) is None
    assert entry_of(b.event(2, b.adjourned(2))) is None
