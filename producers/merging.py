"""Several recordings as one, by time."""

import heapq
from collections.abc import Iterable, Iterator

from producers.recording import RecordedLine, Recording


def merged(recordings: Iterable[Recording]) -> Iterator[RecordedLine]:
    """Yield the lines of all recordings, of those that come next in each always the one with the least timestamp.

    Each recording's own order is kept, even where its timestamps step back; equal timestamps come in the order of the
    recordings. One line of each recording is in memory. Raises as `Recording.lines` does, once all that was due
    before has been yielded.
    """
    return heapq.merge(*(recording.lines() for recording in recordings), key=lambda found: found.record.timestamp_ms)
