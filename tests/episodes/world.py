"""What all processes of an episode share: time, dice, the servers' state, and the record of what happened."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from enum import Enum, auto
from hashlib import blake2b
from random import Random
from typing import Any

from consumers.grant import Grant
from consumers.tokens.memory_partners import MemoryPartners
from consumers.tokens.partner import PartnerKey
from tests.episodes.clock import VirtualClock
from tests.support.trust import PARTNER


class Trouble(Enum):
    """What servers may have for a while; several of one kind may overlap."""

    STORE_DOWN = auto()
    ANSWERS_LOST = auto()
    STORE_SLOW = auto()
    BROKER_DOWN = auto()
    GRANTS_REFUSED = auto()
    ISSUER_DOWN = auto()
    PARTNER_DISABLED = auto()


class World:
    """The episode's surroundings. Dice are one for each actor, so that one's luck does not shift another's."""

    def __init__(self, seed: int, loop: asyncio.AbstractEventLoop, grant_life_s: float) -> None:
        self.loop = loop
        self.clock = VirtualClock(loop)
        self.closing = False
        self.problems: list[str] = []
        self.happened: list[str] = []
        self.partners = MemoryPartners([PARTNER])
        self.key = PARTNER.keys[0]
        self._grant_life_s = grant_life_s
        self._seed = seed
        self._troubles: Counter[Trouble] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting: list[asyncio.Future[None]] = []
        self._trace = blake2b(digest_size=16)
        self._grants = 0

    def dice(self, actor: object) -> Random:
        """Return this actor's dice."""
        return Random(f"{self._seed}/{actor}")

    def note(self, *parts: object) -> None:
        """Put something that happened into the trace."""
        line = " ".join(map(str, (f"{self.clock.monotonic():.6f}", *parts)))
        self._trace.update(line.encode())
        self.happened.append(line)

    @property
    def trace(self) -> str:
        """What happened, as a hash: the same for the same episode."""
        return self._trace.hexdigest()

    def problem(self, kind: str, line: str) -> None:
        """Note that something is wrong."""
        self.note(kind, line)
        self.problems.append(f"{kind}: {line}")

    def has(self, trouble: Trouble) -> bool:
        """Return whether there is this trouble now."""
        return self._troubles[trouble] > 0

    async def begin(self, trouble: Trouble) -> None:
        """Let a trouble begin."""
        self._troubles[trouble] += 1
        await self._switch()

    async def end(self, trouble: Trouble) -> None:
        """Let one of these troubles be over."""
        self._troubles[trouble] -= 1
        await self._switch()

    async def roll_key(self) -> None:
        """Let the partner sign with another key from here on, and no more with the one before."""
        self.key = PartnerKey(f"{self._grants:027d}", b"certificate")
        await self.partners.publish(PARTNER.principal, (self.key,), self.partners.find(PARTNER.principal))

    def grant(self) -> Grant:
        """Return a grant as an accepted token opens it now."""
        self._grants += 1
        expires_at = self.clock.now() + timedelta(seconds=self._grant_life_s)
        return Grant(PARTNER.principal, PARTNER.roles, f"t{self._grants}", self.key.x5t, expires_at)

    def stands(self, grant: Grant) -> bool:
        """Return whether something may be written on this grant now, said without the product's rules."""
        trusted = not self.has(Trouble.PARTNER_DISABLED) and grant.x5t == self.key.x5t
        return trusted and self.clock.now() < grant.expires_at

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something that belongs to the world, and keep it; its failure is found by whoever waits for it."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        return task

    async def never(self) -> None:
        """Wait for ever; somebody keeps hold of it."""
        self._waiting.append(self.loop.create_future())
        await self._waiting[-1]

    async def close(self) -> None:
        """End whatever still runs or waits."""
        self.closing = True
        while rest := asyncio.all_tasks(self.loop) - {asyncio.current_task()}:
            for task in rest:
                task.cancel()
            await asyncio.wait(rest, timeout=1.0)

    async def _switch(self) -> None:
        await self.partners.switch(PARTNER.principal, enabled=not self.has(Trouble.PARTNER_DISABLED))
