"""Identifiers as types. A value of one of these has been checked; a plain string has not."""

from typing import Annotated

from pydantic import StringConstraints

from schemas.limits import (
    CONTENT_ID_CHARS_MAX,
    CONVERSATION_CHARS_MAX,
    EVENT_ID_CHARS_MAX,
    FILE_NAME_CHARS_MAX,
    LINK_CHARS_MAX,
    MEDIA_TYPE_CHARS_MAX,
    NAME_CHARS_MAX,
    SIP_CHARS_MAX,
    URI_CHARS_MAX,
)

SipAddress = Annotated[
    str,
    StringConstraints(
        max_length=SIP_CHARS_MAX,
        pattern=r"^sip:[a-z0-9!$&'*+./=?_~%-]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$",
    ),
]
"""`sip:user@host`, lower case only: Lync compares addresses without case, and two spellings are one mailbox."""

MailboxId = SipAddress
"""A mailbox is named by its owner's SIP address."""

ConversationId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CONVERSATION_CHARS_MAX, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$"),
]
"""One conversation, call or conference occurrence; also the record's key. No control or line-break characters."""

ThreadId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""32 hexadecimal digits, shared by a two-party conversation and the conference it escalates to (UCWA `threadId`)."""

InstanceId = Annotated[str, StringConstraints(max_length=64, pattern=r"^[0-9A-Za-z-]*$")]
"""One occurrence of a recurring meeting (CDR `ConfInstance`); empty where there is but one."""

EventId = Annotated[str, StringConstraints(min_length=1, max_length=EVENT_ID_CHARS_MAX)]
"""A CloudEvents id: the same for every device that reports the same event."""

DisplayName = Annotated[str, StringConstraints(max_length=NAME_CHARS_MAX)]
"""A person's name, verbatim."""

ConferenceUri = Annotated[str, StringConstraints(max_length=URI_CHARS_MAX)]
"""The meeting's URI, the same for all occurrences; empty where the source knows none."""

ContentId = Annotated[str, StringConstraints(min_length=1, max_length=CONTENT_ID_CHARS_MAX)]
"""A shared file or whiteboard, as the Lync side names it within its conference."""

PollId = Annotated[str, StringConstraints(min_length=1, max_length=CONTENT_ID_CHARS_MAX)]
"""A poll, as the Lync side names it within its conference."""

QuestionId = Annotated[str, StringConstraints(min_length=1, max_length=CONTENT_ID_CHARS_MAX)]
"""A question, as the Lync side names it within its conference."""

LinkUri = Annotated[str, StringConstraints(min_length=1, max_length=LINK_CHARS_MAX)]
"""A link, verbatim; never followed."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""The SHA-256 of a file's bytes in lower-case hexadecimal, which is its name in the content store."""

FileName = Annotated[str, StringConstraints(max_length=FILE_NAME_CHARS_MAX)]
"""A file's name, verbatim; never used as a path."""

MediaType = Annotated[
    str,
    StringConstraints(
        max_length=MEDIA_TYPE_CHARS_MAX, pattern=r"^[0-9A-Za-z][0-9A-Za-z!#$&^_.+-]*/[0-9A-Za-z][0-9A-Za-z!#$&^_.+-]*$"
    ),
]
"""A media type without parameters."""
