"""One line of a neutral chat log, checked."""

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from producers.handles import sip_of
from schemas.errors import LyncArchiverError, MalformedRecord
from schemas.events import Text
from schemas.identifiers import ConversationId, DisplayName
from schemas.limits import SIP_CHARS_MAX
from schemas.times import parse_time

Kind = Literal["message", "join", "leave", "rename", "topic"]


class ChatLogError(LyncArchiverError):
    """A chat log's line does not fit; `line` counts from 1. The message never says what the line says."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line} of the chat log: {reason}")
        self.line = line
        self.reason = reason


class ChatLine(NamedTuple):
    """What a conversion needs of a line. `to` is the new handle of a rename, and None for every other kind."""

    number: int
    source: str
    conversation: str
    kind: Kind
    at: str
    handle: str
    text: str
    order: int
    to: str | None


class _Wire(BaseModel):
    """The line as it is written; fields that it does not know are ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    source: str
    conversation: ConversationId
    kind: Kind
    at: str
    handle: Annotated[DisplayName, Field(alias="from")]
    text: Text | None = None
    order: Annotated[int, Field(ge=0)]
    to: DisplayName | None = None
    reason: str | None = None
    at_inferred: bool | None = None


def parse_line(number: int, line: bytes) -> ChatLine:
    """Return the line, checked against every limit that its events must keep. Raises ChatLogError."""
    try:
        wire = _Wire.model_validate_json(line)
    except ValidationError as error:
        raise ChatLogError(number, _problem(error)) from None  # its text repeats the input
    try:
        parse_time(wire.at)
    except MalformedRecord as error:
        raise ChatLogError(number, f"at: {error.detail}") from error
    if wire.text is None and wire.kind in {"message", "topic"}:
        raise ChatLogError(number, f"text: a {wire.kind} needs one")
    if wire.to is None and wire.kind == "rename":
        raise ChatLogError(number, "to: a rename needs one")
    to = wire.to if wire.kind == "rename" else None
    for name, handle in (("from", wire.handle), ("to", to)):
        if handle is not None and len(sip_of(handle)) > SIP_CHARS_MAX:
            raise ChatLogError(number, f"{name}: its address would have more than {SIP_CHARS_MAX} characters")
    return ChatLine(
        number, wire.source, wire.conversation, wire.kind, wire.at, wire.handle, wire.text or "", wire.order, to
    )


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return "it is not JSON"
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else "it is not a JSON object"
