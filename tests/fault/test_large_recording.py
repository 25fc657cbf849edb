"""A recording into Kafka and back in little; `python -m tests.fault.recordings` is the long run."""

from schemas.login import ADMIN
from tests.conftest import StackAddresses
from tests.fault.recordings import emptying, round_trip
from tests.support.program import Program

RECORDS = 10_000


async def test_a_recording_comes_back_byte_for_byte(stack: StackAddresses, program: Program) -> None:
    """Twice through Kafka, odd records included: every field in its order, then the same file, in bounded memory."""
    emptied = emptying(stack.bootstrap, program.topics, stack.login(ADMIN))
    report = await round_trip(program, emptied, RECORDS, seed=2013)
    assert report.problems == []
