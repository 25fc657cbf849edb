"""The models' limits, and that they are frozen, strict and closed."""

import json
from typing import Any, Final

import pytest
from pydantic import ValidationError

from schemas import events, meetings
from schemas.catalogue import ENDERS, MODELS, OPENERS, STREAMS, TYPES, EventType, Stream
from schemas.events import CallEnded, ConferenceActivated, ConversationMessage, ConversationStarted, EventData
from schemas.limits import (
    CONVERSATION_CHARS_MAX,
    NAME_CHARS_MAX,
    PARTICIPANTS_MAX,
    SEQUENCE_MAX,
    SIP_CHARS_MAX,
    SUBJECT_CHARS_MAX,
    TEXT_CHARS_MAX,
    URI_CHARS_MAX,
)

ANNA: Final = {"sip": "sip:anna@contoso.example", "name": "Anna"}
MESSAGE: Final = {"conversation": "c", "sip": ANNA["sip"], "text": "hello"}
STARTED: Final = {"conversation": "c", "thread": "0" * 32, "initiator": ANNA["sip"], "participants": [ANNA]}
ACTIVATED: Final = {"conversation": "c", "thread": "0" * 32}
ENDED: Final = {"conversation": "c", "last_sequence": 2}
SIP_TAIL: Final = "@contoso.example"


def _read(model: type[EventData], good: dict[str, Any], **changed: Any) -> EventData:
    return model.model_validate_json(json.dumps({**good, **changed}))


@pytest.mark.parametrize(
    ("model", "good", "field", "longest"),
    [
        (ConversationMessage, MESSAGE, "conversation", "c" * CONVERSATION_CHARS_MAX),
        (ConversationMessage, MESSAGE, "conversation", "🦊" * CONVERSATION_CHARS_MAX),
        (ConversationMessage, MESSAGE, "text", "t" * TEXT_CHARS_MAX),
        (ConferenceActivated, ACTIVATED, "subject", "s" * SUBJECT_CHARS_MAX),
        (ConferenceActivated, ACTIVATED, "conference_uri", "u" * URI_CHARS_MAX),
        (ConferenceActivated, ACTIVATED, "instance", "1" * 64),
        (ConferenceActivated, ACTIVATED, "escalated_from", "c" * CONVERSATION_CHARS_MAX),
        (ConversationStarted, STARTED, "thread", "f" * 32),
    ],
)
def test_longest_text(model: type[EventData], good: dict[str, Any], field: str, longest: str) -> None:
    """Text of the limit, counted in characters, is read; one character more is not."""
    assert getattr(_read(model, good, **{field: longest}), field) == longest
    with pytest.raises(ValidationError):
        _read(model, good, **{field: longest + longest[0]})


def test_longest_address_and_name() -> None:
    """Addresses and names have limits of their own."""
    longest = "sip:" + "a" * (SIP_CHARS_MAX - len("sip:" + SIP_TAIL)) + SIP_TAIL
    assert _read(ConversationMessage, MESSAGE, sip=longest)
    assert _read(ConversationStarted, STARTED, participants=[{**ANNA, "name": "n" * NAME_CHARS_MAX}])
    with pytest.raises(ValidationError):
        _read(ConversationMessage, MESSAGE, sip=longest.replace("sip:", "sip:a"))
    with pytest.raises(ValidationError):
        _read(ConversationStarted, STARTED, participants=[{**ANNA, "name": "n" * (NAME_CHARS_MAX + 1)}])


@pytest.mark.parametrize("field", ["participants", "invited"])
def test_most_people(field: str) -> None:
    """A list of people ends at the limit."""
    assert _read(ConversationStarted, STARTED, **{field: [ANNA] * PARTICIPANTS_MAX})
    with pytest.raises(ValidationError):
        _read(ConversationStarted, STARTED, **{field: [ANNA] * (PARTICIPANTS_MAX + 1)})


@pytest.mark.parametrize(
    ("field", "least", "most"), [("last_sequence", 1, SEQUENCE_MAX), ("duration_s", 0, 31_536_000)]
)
def test_numbers_are_bounded(field: str, least: int, most: int) -> None:
    """Numbers at a bound are read, numbers beyond it are not."""
    for value in (least, most):
        assert _read(CallEnded, ENDED, **{field: value})
    for value in (least - 1, most + 1):
        with pytest.raises(ValidationError):
            _read(CallEnded, ENDED, **{field: value})


@pytest.mark.parametrize(
    "changed",
    [{"last_sequence": value} for value in ("2", 2.0, True, None)] + [{"duration_s": value} for value in ("1", 1.5)],
)
def test_numbers_are_strict(changed: dict[str, Any]) -> None:
    """Nothing that is not a whole number in JSON is taken for one."""
    with pytest.raises(ValidationError):
        _read(CallEnded, ENDED, **changed)


@pytest.mark.parametrize(
    "sip",
    [
        "",
        "anna@contoso.example",
        "SIP:anna@contoso.example",
        "sip:Anna@contoso.example",
        "sip:anna@Contoso.example",
        "sip:anna",
        "sip:@contoso.example",
        "sip:anna@",
        "sip:anna@contoso.example.",
        "sip:anna@-contoso.example",
        "sip:an na@contoso.example",
        "sip:anna@contoso.example;gruu",
        "sip:anna@contoso.example\n",
        "sip:änna@contoso.example",
        "sip:anna@a@contoso.example",
    ],
)
def test_addresses_have_one_spelling(sip: str) -> None:
    """What is not `sip:user@host` in lower case is no address."""
    with pytest.raises(ValidationError):
        _read(ConversationMessage, MESSAGE, sip=sip)


@pytest.mark.parametrize("mark", ["\x00", "\t", "\n", "\x7f", "\x85", "\u2028", "\u2029"])
def test_conversation_ids_are_one_line(mark: str) -> None:
    """A conversation id holds no control and no line-break character, wherever it stands."""
    for conversation in (mark, f"c{mark}", f"{mark}c"):
        with pytest.raises(ValidationError):
            _read(ConversationMessage, MESSAGE, conversation=conversation)


@pytest.mark.parametrize("thread", ["", "0" * 31, "F" * 32, "g" * 32, "0" * 32 + "\n"])
def test_threads_are_32_hexadecimal_digits(thread: str) -> None:
    """A thread id has one spelling."""
    with pytest.raises(ValidationError):
        _read(ConversationStarted, STARTED, thread=thread)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: str(model.__name__))
def test_every_model_is_frozen_strict_and_closed(model: type[EventData]) -> None:
    """Each model of the catalogue follows the contract's three rules and says what it means."""
    assert model.model_config.get("frozen")
    assert model.model_config.get("strict")
    assert model.model_config.get("extra") == "forbid"
    assert model.__doc__


def test_events_do_not_change() -> None:
    """A field of an event cannot be set."""
    message = _read(ConversationMessage, MESSAGE)
    with pytest.raises(ValidationError, match="frozen"):
        message.conversation = "other"  # type: ignore[misc]


def test_text_is_kept_verbatim() -> None:
    """Nothing typed is trimmed, normalized or escaped."""
    text = " \x00 e\u0301 \u2028 \u202e \U0001f469\u200d\U0001f469 \r\n"
    message = _read(ConversationMessage, MESSAGE, text=text)
    assert isinstance(message, ConversationMessage)
    assert message.text == text


def test_catalogue_is_whole() -> None:
    """Every type has one model and one stream, every model of an event is in the catalogue."""
    assert set(MODELS) == set(STREAMS) == set(EventType)
    assert len(TYPES) == len(MODELS)
    assert set(MODELS.values()) == set(EventData.__subclasses__())
    named = vars(events) | vars(meetings)
    assert all(named[model.__name__] is model for model in MODELS.values())
    assert set(STREAMS.values()) == {Stream.CONVERSATIONS, Stream.CONFERENCES}
    assert not OPENERS & ENDERS
    assert {name for name, model in MODELS.items() if "last_sequence" in model.model_fields} == ENDERS
