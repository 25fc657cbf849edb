"""`make bench`: two ratios, each of two things measured in turn in one run, medians of several rounds."""

import asyncio
import gc
import json
import logging
import statistics
import sys
import tempfile
from pathlib import Path

import structlog

from deploy.archiving import GC_THRESHOLDS
from deploy.settings import load_settings
from deploy.stack.local import RunningStack, local_stack
from producers.topics import Topics
from schemas.catalogue import Stream
from tests.benchmarks import workloads
from tests.benchmarks.ground import archive_database, archived, filled
from tests.benchmarks.hand_loop import hand_loop

ROUNDS = 5
RECORDS = 150_000
MEETINGS, MESSAGES = 40, 4000


async def main() -> None:
    """Measure and print."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    gc.set_threshold(*GC_THRESHOLDS)
    batch = load_settings().archive.batch
    with tempfile.TemporaryDirectory() as folder:
        async with local_stack(Path(folder)) as stack:
            await sizes(stack, batch)
            await against_hand_loop(stack, batch)


async def sizes(stack: RunningStack, batch: int) -> None:
    """A message in a conference of 250 against one between two: the same messages, everybody already there."""
    times: dict[int, list[float]] = {2: [], 250: []}
    stored: dict[int, float] = {}
    opened = {people: await filled(stack, workloads.joins(MEETINGS, people)) for people in times}
    typed = {people: await filled(stack, workloads.messages(MEETINGS, people, MESSAGES)) for people in times}
    for _ in range(ROUNDS):
        for people, taken in times.items():
            async with archive_database(stack) as database:
                await archived(stack, streams(opened[people]), database, batch)
                rate = await archived(stack, streams(typed[people]), database, batch)
                taken.append(rate.seconds / rate.records * 1e6)
                stored[people] = (await database.command("collStats", "segments"))["size"] / rate.records
    two, many = (statistics.median(times[people]) for people in (2, 250))
    ratios = [b / a for a, b in zip(times[2], times[250], strict=True)]
    say("message in a conference of 250 / between two", statistics.median(ratios), "at most 1.1", ratios)
    say_detail(
        f"{many:.1f} / {two:.1f} microseconds a message; content {stored[250]:.0f} / {stored[2]:.0f} bytes a message"
    )


async def against_hand_loop(stack: RunningStack, batch: int) -> None:
    """One archiver process against the loop that a user would write, on the user model's recording."""
    records = workloads.user_model(RECORDS)
    topics = await filled(stack, records)
    ours, hand = [], []
    for _ in range(ROUNDS):
        async with archive_database(stack) as database:
            names = [topics.conversations, topics.conferences]
            rate = await hand_loop(stack, names, database["hand_loop"], len(records), batch)
            hand.append(rate.a_second)
        async with archive_database(stack) as database:
            ours.append((await archived(stack, streams(topics), database, batch)).a_second)
    ratios = [a / b for a, b in zip(ours, hand, strict=True)]
    say("archiver / hand loop", statistics.median(ratios), "at least 0.7", ratios)
    say_detail(f"{statistics.median(ours):.0f} / {statistics.median(hand):.0f} records a second")


def streams(topics: Topics) -> dict[str, Stream]:
    """Return the role of each topic."""
    return {topics.conversations: Stream.CONVERSATIONS, topics.conferences: Stream.CONFERENCES}


def say(what: str, ratio: float, wanted: str, ratios: list[float]) -> None:
    """Print one ratio with its spread."""
    spread = json.dumps([round(value, 2) for value in ratios])
    sys.stdout.write(f"{what}: {ratio:.2f} ({wanted}; rounds {spread})\n")


def say_detail(text: str) -> None:
    """Print the numbers behind a ratio."""
    sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
