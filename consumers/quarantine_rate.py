"""The share of a lane's latest records that cannot be archived, and the limit at which the lane stops.

Pure. A whole topic in another format, or of another program, must not end in quarantine record by record.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from consumers.batch import Quarantined
from schemas.errors import Cause, Misconfigured
from schemas.record import Record


class QuarantineOverflow(Misconfigured):
    """More of the latest records cannot be archived than the limit allows; nothing of the batch is committed."""


class RateLimit(NamedTuple):
    """At most `ratio` of any `window` successive records of a lane may go to quarantine; 1.0 is no limit.

    The count is always held against the whole window: fewer records than `ratio * window` never break the limit.
    """

    ratio: float = 0.5
    window: int = 1000


DEFAULT_RATE: Final = RateLimit()


class Refusals(NamedTuple):
    """What a lane met since it began: how many records, and which of the latest `window` were refused, and why."""

    read: int = 0
    latest: tuple[tuple[int, Cause], ...] = ()


def count_refusals(
    before: Refusals, limit: RateLimit, records: Sequence[Record], refused: Sequence[Quarantined]
) -> Refusals:
    """Return the refusals after these records, of which those in `refused` go to quarantine.

    Counted record by record, in order of offset, so how records fall into batches does not matter.
    Raises QuarantineOverflow at the first record that breaks the limit.
    """
    read = before.read + len(records)
    if not refused:
        return Refusals(read, tuple(one for one in before.latest if one[0] >= read - limit.window))
    causes = {entry.record.offset: entry.cause for entry in refused}
    met = list(before.latest)
    oldest = 0
    for number, record in enumerate(records, before.read):
        cause = causes.get(record.offset)
        if cause is None:
            continue
        met.append((number, cause))
        while met[oldest][0] <= number - limit.window:
            oldest += 1
        if len(met) - oldest > limit.ratio * limit.window:
            raise _overflow(limit, record, met[oldest:])
    return Refusals(read, tuple(one for one in met[oldest:] if one[0] > read - 1 - limit.window))


def _overflow(limit: RateLimit, record: Record, met: Sequence[tuple[int, Cause]]) -> QuarantineOverflow:
    causes = Counter(cause for _, cause in met).most_common()
    named = ", ".join(f"{count} {cause}" for cause, count in causes)
    return QuarantineOverflow(
        f"lane {record.topic}/{record.partition}: {len(met)} of the last {limit.window} records cannot be archived, "
        f"mostly {causes[0][0]} ({named}), up to offset {record.offset}; nothing of this batch was written; look at "
        f"the records, and where they belong in quarantine raise archive.quarantine_rate_max, now {limit.ratio}"
    )
