"""What can go wrong, sorted by what happens next rather than by where it was raised.

RecordRejected              the record is at fault: quarantine it with its cause, go on
  MalformedRecord           its bytes do not fit the contract
  UnsupportedVersion        it is of a version that this release does not know
  IllegalRecord             it fits the contract but not its conversation
DependencyUnavailable       a dependency is at fault: back off, advance nothing
Misconfigured               the operator is at fault: exit 78, do not restart in a loop
(anything else)             a bug: it is not caught, nothing is committed, the process ends

Messages carry ids and numbers, never what people said and never a token.
"""

from enum import StrEnum


class Cause(StrEnum):
    """Why a record is in quarantine. Stored and counted, so a member is never renamed."""

    OVERSIZED = "oversized"
    MALFORMED_HEADERS = "malformed-headers"
    MALFORMED_JSON = "malformed-json"
    DUPLICATE_KEYS = "duplicate-keys"
    SCHEMA_MISMATCH = "schema-mismatch"
    BAD_SEQUENCE = "bad-sequence"
    BAD_TIME = "bad-time"
    KEY_MISMATCH = "key-mismatch"
    WRONG_TOPIC = "wrong-topic"
    UNKNOWN_TYPE = "unknown-type"
    UNKNOWN_VERSION = "unknown-version"
    SEQUENCE_CONFLICT = "sequence-conflict"
    ILLEGAL_TRANSITION = "illegal-transition"
    AFTER_END = "after-end"
    TOO_MANY_GAPS = "too-many-gaps"
    TOO_MANY_PARTICIPANTS = "too-many-participants"
    TOO_MANY_MOVES = "too-many-moves"
    TOO_MANY_UNDELIVERED = "too-many-undelivered"
    CONTENT_MISSING = "content-missing"
    CONTENT_MISMATCH = "content-mismatch"
    CONTENT_OVERSIZED = "content-oversized"
    CONVERSATION_REMOVED = "conversation-removed"


class LyncArchiverError(Exception):
    """The root of every error this project raises on purpose."""


class RecordRejected(LyncArchiverError):
    """A record cannot be archived; `cause` says why, the message names no content."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause
        self.detail = detail


class MalformedRecord(RecordRejected):
    """The record's bytes do not fit the contract."""


class UnsupportedVersion(RecordRejected):
    """The record is of a version that this release does not know."""


class IllegalRecord(RecordRejected):
    """The record fits the contract but not the conversation it belongs to."""


class DependencyUnavailable(LyncArchiverError):
    """A server cannot be used now; try again after `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Misconfigured(LyncArchiverError):
    """The settings or what they point at cannot work; a restart will not help."""
