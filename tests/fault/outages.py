"""A store that fails under live load, with critical mode and without, for any time, on real servers and processes."""

import asyncio
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from producers.simulator.population import populate
from producers.simulator.simulation import simulate
from schemas.clock import SystemClock
from schemas.envelope import decode
from schemas.events import ConversationMessage, ConversationParticipantJoined, ConversationStarted
from tests.support.program import Program
from tests.support.waiting import await_until

STEP_LIMIT_S: Final = 120.0

Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Load:
    """What the organisation does meanwhile; every second user is archived."""

    users: int
    hours: float
    speed: float
    seed: int = 1

    @property
    def arguments(self) -> tuple[object, ...]:
        """What `simulate` is told."""
        return "--users", self.users, "--hours", self.hours, "--seed", self.seed, "--speed", self.speed

    @property
    def archived(self) -> frozenset[str]:
        """The users who are archived."""
        return frozenset(person.sip for person in populate(self.users, self.seed)[::2])


@dataclass(frozen=True, slots=True)
class Seen:
    """What an episode showed: of `simulated` events, how many were `accepted`, and the others by reason."""

    simulated: int
    accepted: int
    refused: dict[str, int]
    verdict: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outage:
    """How mongod fails and comes back, and how long it is away: until it was noticed, and for `least_s` at least."""

    begin: Step
    end: Step
    least_s: float


def frozen(pid: int, least_s: float) -> Outage:
    """Return the outage of a mongod that answers nobody while it holds every connection."""

    async def signalled(number: signal.Signals) -> None:
        os.kill(pid, number)

    return Outage(lambda: signalled(signal.SIGSTOP), lambda: signalled(signal.SIGCONT), least_s)


async def through(program: Program, load: Load, outage: Outage, *, critical: bool) -> Seen:
    """Let the store fail amid the load, and come back; then archive the rest and verify what was accepted."""
    users = program.folder / "archived.txt"
    users.write_text("".join(f"{sip}\n" for sip in sorted(load.archived)))
    chosen = ("--critical", "--archiving-enabled", users) if critical else ()
    lync = lync_side(program)
    archiver = program.start("archive")
    try:
        await await_until(lambda: has(program, "started"), STEP_LIMIT_S)
        producing = lync.start("simulate", *load.arguments, *chosen)
        try:
            await await_until(lambda: has(program, "batch-committed"), STEP_LIMIT_S)
            await _away(program, outage, lync if critical else None)
            await ended(producing)
        finally:
            producing.kill()
            producing.wait()
        more = await asyncio.to_thread(_afterwards, program, load) if critical else 0
        archiver.terminate()
        await ended(archiver)
    finally:
        archiver.kill()
        archiver.wait()
    return await asyncio.to_thread(_settled, program, load, more)


def _afterwards(program: Program, load: Load) -> int:
    """Write on once the store is well: nothing is refused any more. Return how many events that were."""
    found = program.json("simulate", "--users", 20, "--hours", 0.2, "--seed", load.seed + 1, "--critical")
    assert found["refused"] == {}
    return int(found["records"])


def lync_side(program: Program) -> Program:
    """Return the same program with a log of its own: two processes would write into each other's lines."""
    folder = program.folder / "lync"
    folder.mkdir(exist_ok=True)
    return replace(program, folder=folder)


async def _away(program: Program, outage: Outage, critical: Program | None) -> None:
    clock = SystemClock()
    begun = clock.monotonic()
    await outage.begin()
    try:
        await await_until(lambda: has(program, "store-failing"), STEP_LIMIT_S)
        if critical is not None:
            await await_until(lambda: has(critical, "event-refused"), STEP_LIMIT_S)
        await await_until(lambda: clock.monotonic() - begun >= outage.least_s, outage.least_s + 1)
    finally:
        await outage.end()
    await await_until(lambda: has(program, "store-well"), STEP_LIMIT_S)


def _settled(program: Program, load: Load, more: int) -> Seen:
    """Archive what is left, and verify the archive against what Kafka has: that is what was accepted."""
    program.archive()
    recording = program.folder / "accepted.jsonl.gz"
    accepted = program.json("record", recording, "--until-caught-up")["records"]
    simulated = more + sum(1 for _ in simulate(load.users, load.hours, load.seed, program.topics))
    refused = Counter(line["reason"] for line in lines(lync_side(program)) if line["action"] == "event-refused")
    return Seen(simulated, accepted, dict(refused), program.verify(recording))


async def ended(process: "subprocess.Popen[bytes]") -> None:
    """Wait until a process ended by itself, and well."""
    await await_until(lambda: process.poll() is not None, STEP_LIMIT_S)
    assert process.returncode == 0


def has(program: Program, action: str) -> bool:
    """Return whether a command that was left running has logged this."""
    return f'"action": "{action}"' in program.log()


def lines(program: Program) -> list[dict[str, Any]]:
    """Return what commands that were left running have logged."""
    return [json.loads(line) for line in program.log().splitlines() if line.startswith("{")]


def wrongly_blocked(program: Program, load: Load) -> set[str]:
    """Return the conversations that were blocked for instant messages though nobody in them is archived."""
    people: dict[str, set[str]] = {}
    for record in simulate(load.users, load.hours, load.seed, program.topics):
        data = decode(record, None).data
        met = people.setdefault(data.conversation, set())
        match data:
            case ConversationStarted(participants=participants, invited=invited):
                met.update(person.sip for person in (*participants, *invited))
            case ConversationParticipantJoined(participant=participant):
                met.add(participant.sip)
            case ConversationMessage(sip=sip):
                met.add(sip)
            case _:
                pass
    blocked = {line["conversation"] for line in lines(lync_side(program)) if line.get("reason") == "im-blocked"}
    return {name for name in blocked if not people[name] & load.archived}
