"""All recorded chats with one record of twenty damaged: quarantined to the record, shown as gaps, and mended."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from pymongo import AsyncMongoClient

from producers.lines import read_lines
from producers.recording import Recording
from producers.topics import Topics
from schemas.catalogue import Stream
from schemas.record import Record
from tests.conftest import StackAddresses, own_topics
from tests.fault.damage import Damage
from tests.fault.episodes import another_archive
from tests.support.program import Program

SEED: Final = 2013
NAMING: Final = {b"lync.conversation.started.v1", b"lync.conference.joined.v1"}
"""Events that say who takes part."""


def converted(program: Program, recorded: Path) -> list[Record]:
    """Return the records of all recorded chats."""
    records: list[Record] = []
    for log in sorted(recorded.glob("*.jsonl.gz")):
        chat = program.folder / f"{log.stem}.zst"
        program.run("convert", log, chat)
        records += Recording(chat).read()
    if not records:
        pytest.skip(f"no recorded chats in {recorded}")
    return records


def replayed(program: Program, records: list[Record]) -> dict[str, int]:
    """Put records into Kafka, archive them and return the counts."""
    sent = program.folder / f"{program.database}.jsonl.zst"
    Recording(sent).write(records)
    program.run("replay", sent, "--speed", "max")
    return program.archive()


def expected_gaps(good: list[Record], damage: Damage) -> dict[str, list[list[int]]]:
    """Return the gaps of each conversation that anybody has an item of: whose opening, or some join, is not damaged.

    These are the damaged sequences, as far as something behind them is held, which shows that they exist.
    """
    held: dict[str, list[int]] = {}
    seen: set[str] = set()
    harmed = {id(record) for record in damage.originals.values()}
    for record in good:
        if id(record) not in harmed:
            headers, conversation = dict(record.headers), (record.key or b"").decode()
            held.setdefault(conversation, []).append(int(headers["ce_sequence"] or b""))
            if headers["ce_type"] in NAMING:
                seen.add(conversation)
    return {conversation: _holes(held[conversation]) for conversation in seen}


def _holes(sequences: list[int]) -> list[list[int]]:
    return [[one + 1, two - 1] for one, two in pairwise([0, *sorted(set(sequences))]) if two > one + 1]


def shown_gaps(program: Program) -> dict[str, list[list[int]]]:
    """Return the gaps of each conversation that has items, which all show the same."""
    out = program.folder / "gaps.jsonl"
    program.run("mailbox", "export", "--all", out)
    shown: dict[str, list[list[int]]] = {}
    for line in read_lines(out):
        for item in json.loads(line)["items"]:
            assert shown.setdefault(item["conversation"], item["gaps"]) == item["gaps"]
    return shown


async def quarantined(program: Program) -> dict[tuple[str, int, int], bytes]:
    """Return the places and fingerprints of what is quarantined still."""
    async with AsyncMongoClient[dict[str, Any]](program.mongodb_uri) as client:
        found = client[program.database]["quarantine"].find({"state": {"$in": ["quarantined", None]}})
        return {(e["topic"], e["partition"], e["offset"]): bytes(e["fingerprint"]) async for e in found}


async def test_recorded_chats_survive_damage(program: Program, stack: StackAddresses, recorded: Path) -> None:
    """The quarantine is the damage, by place and bytes; the gaps are the damaged sequences; mended, nothing differs."""
    good = converted(program, recorded)
    clean = replayed(program, good)
    digest = program.json("digest")
    async with own_topics(stack) as topics:
        own = another_archive(replace(program, topics=topics))
        await damaged_and_mended(own, moved(good, program.topics, topics), clean)
        assert own.json("digest") == digest


async def damaged_and_mended(own: Program, good: list[Record], clean: dict[str, int]) -> None:
    topics = own.topics
    streams = {topics.conversations: Stream.CONVERSATIONS, topics.conferences: Stream.CONFERENCES}
    damage = Damage(good, streams, SEED)
    counts = replayed(own, damage.sent)
    assert counts["in"] == clean["in"] == len(good)
    assert counts["quarantined"] == len(damage.originals) > len(good) // 30
    kept = own.folder / "kept.jsonl.zst"
    own.run("record", kept, "--until-caught-up")
    places = damage.places(Recording(kept).read())
    assert await quarantined(own) == places
    assert len(places) == len(damage.originals)
    gaps = expected_gaps(good, damage)
    assert sum(map(bool, gaps.values())) > 100
    assert shown_gaps(own) == gaps

    mended = own.folder / "mended.jsonl.zst"
    originals = ((place, damage.originals[mark]) for place, mark in places.items())
    Recording(mended).write(
        one._replace(partition=partition, offset=offset) for (_, partition, offset), one in originals
    )
    tally = own.json("quarantine", "redrive", "--all", "--with", mended)
    assert tally["archived"] + tally["duplicate"] == tally["replaced"] == len(places)
    assert await quarantined(own) == {}


def moved(records: list[Record], before: Topics, after: Topics) -> list[Record]:
    """Return the records under the names of other topics."""
    names = dict(zip(before.names, after.names, strict=True))
    return [record._replace(topic=names[record.topic]) for record in records]
