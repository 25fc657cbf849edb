"""Messages that are reported not to have reached somebody. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.errors import Cause, IllegalRecord
from schemas.limits import PARTICIPANTS_MAX, UNDELIVERED_MAX
from schemas.meetings import ConferenceDeliveryFailed

Undelivered = Mapping[str, tuple[int, ...]]
"""By SIP address, of a member or not: the sequences of what did not reach them, ascending."""

ALL_DELIVERED: Final[Undelivered] = MappingProxyType({})


def failed(undelivered: Undelivered, report: ConferenceDeliveryFailed) -> Undelivered:
    """Return what did not reach whom, with this report: a union, so that neither order nor repetition matters.

    What is named may come later, or be no message: whoever reads decides (`consumers.visibility`). Raises IllegalRecord
    where it becomes too much to keep; the refused record is in quarantine, and its recipients see the message.
    """
    after = dict(undelivered)
    for sip in report.recipients:
        before = after.get(sip, ())
        if not before or before[-1] < report.message:
            after[sip] = (*before, report.message)
        elif report.message not in before:
            after[sip] = tuple(sorted((*before, report.message)))
    if len(after) > PARTICIPANTS_MAX or sum(map(len, after.values())) > UNDELIVERED_MAX:
        raise IllegalRecord(
            Cause.TOO_MANY_UNDELIVERED,
            f"more than {UNDELIVERED_MAX} messages, or messages to more than {PARTICIPANTS_MAX} people, did not arrive",
        )
    return MappingProxyType(after)
