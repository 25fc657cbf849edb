"""Recordings of any size are read, cut, merged and scrubbed in memory that does not grow with them."""

import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import islice

import pytest

from producers.merging import merged
from producers.recording import Recording
from producers.recording_line import to_line
from producers.scrubbing import Scrubber
from producers.selection import Selection
from producers.survey import Survey
from tests import builders as b

RECORDS = 200_000
PEAK_BYTES_MAX = 4 * 1024 * 1024
"""A buffer of 1 MiB a file, twice while it is filled; the recording has 100 MB."""


def lines() -> Iterator[bytes]:
    """Yield lines of as many conversations and people as there are records."""
    template = to_line(b.record(2, b.message(b.person("someone"), "what was said " * 5, "conversation-0000000")))
    for number in range(RECORDS):
        mark = b"%07d" % number
        yield template.replace(b"0000000", mark).replace(b"someone", b"p" + mark) + b"\n"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The recording, plain."""
    path = tmp_path_factory.mktemp("large") / "r.jsonl"
    with path.open("wb") as file:
        file.writelines(lines())
    return Recording(path)


def peak_bytes(found: Iterable[object], expected: int) -> int:
    """Consume all there is and return how much memory that took at most."""
    tracemalloc.start()
    try:
        assert sum(1 for _ in found) == expected
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_all_of_a_recording_is_cut_within_buffers(large: Recording) -> None:
    """200,000 records pass the filters of time and of conversations, one at a time."""
    chosen = Selection(since_ms=0, conversations=frozenset({b"conversation-0000007"}))
    assert peak_bytes(chosen.lines(large.lines()), 1) < PEAK_BYTES_MAX


def test_users_are_looked_for_within_buffers(large: Recording) -> None:
    """Decoding leaves nothing behind."""
    chosen = Selection(users=frozenset({"sip:p0000007@contoso.com"}))
    assert peak_bytes(chosen.lines(islice(large.lines(), 10_000)), 1) < PEAK_BYTES_MAX


def test_files_are_merged_within_buffers(large: Recording) -> None:
    """Of each file a line and a buffer are in memory."""
    assert peak_bytes(islice(merged([large, large]), 20_000), 20_000) < 2 * PEAK_BYTES_MAX


def test_a_survey_stops_growing(large: Recording) -> None:
    """Once its samples are full, another 10,000 conversations and people take no room."""
    found, all_lines = Survey(), large.lines()

    def added(count: int) -> Iterator[int]:
        for line in islice(all_lines, count):
            found.add(line)
            yield found.records

    assert sum(1 for _ in added(40_000)) == 40_000
    assert peak_bytes(added(10_000), 10_000) < PEAK_BYTES_MAX
    assert 0.97 < found.conversations.count / 50_000 < 1.03
    assert not found.users.exact


def test_a_scrubber_stops_growing(large: Recording) -> None:
    """Once its caches are full, as many records again take no more room."""
    some, more = (
        peak_bytes(Scrubber(b"a test's own").scrubbed(islice(large.read(), count)), count) for count in (3000, 6000)
    )
    assert more < 1.2 * some
