"""RFC 3339 times of events: strict on the way in, verbatim on the way through, UTC always."""

import re
from datetime import UTC, datetime
from typing import Final

from schemas.errors import Cause, MalformedRecord

_HOUR_MINUTE: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
RFC3339: Final = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_HOUR_MINUTE}:[0-5][0-9](?:\.[0-9]{{1,9}})?(Z|[+-]{_HOUR_MINUTE})"
"""Stricter than `datetime`, which reads `24:00` from Python 3.14 on and offsets like `+02:60` in every version."""

_RFC3339: Final = re.compile(RFC3339)


def parse_time(text: str) -> tuple[str, datetime]:
    """Return the time as an RFC 3339 UTC string and as an aware datetime.

    A time that already ends in `Z` keeps its digits as given, up to nanoseconds; another offset is converted to UTC,
    to the microsecond. Years 0001 to 9999 (RFC 3339, section 5.6; no leap second). Raises MalformedRecord.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise MalformedRecord(Cause.BAD_TIME, "the time is not RFC 3339 with a time zone")
    try:
        moment = datetime.fromisoformat(text)
        if match[1] == "Z":
            return text, moment
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedRecord(Cause.BAD_TIME, "the time does not exist") from error
    return format_time(moment), moment


def format_time(moment: datetime) -> str:
    """Return an aware datetime as RFC 3339 in UTC, with a fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
