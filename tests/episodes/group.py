"""The consumer group of an episode: eager, as aiokafka's is. A member that is not heard of loses its lanes unasked."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from consumers.batch import LaneId
from consumers.ports import LanesChange
from tests.episodes.log import Log
from tests.episodes.process import Process
from tests.episodes.world import World

SESSION_S: Final = 0.6
"""A member that stands still for this long is taken for dead."""

REBALANCE_S: Final = 4.0
"""How long a rebalance waits for members to give up their lanes."""


@dataclass(eq=False)
class Member:
    """A process in the group, and what it believes to have."""

    process: Process
    assigned: LanesChange
    revoked: LanesChange
    lanes: list[LaneId] = field(default_factory=list)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Group:
    """Shares out the lanes among its members whenever one comes or goes."""

    def __init__(self, world: World, lanes: Iterable[LaneId]) -> None:
        self._world = world
        self._dice = world.dice("group")
        self._lanes = sorted(lanes)
        self._members: list[Member] = []
        self._wanted = asyncio.Event()

    def rebalance(self) -> None:
        """Have the lanes shared out anew."""
        self._wanted.set()

    def join(self, member: Member) -> None:
        """Take a member in."""
        self._members.append(member)
        self.rebalance()

    def leave(self, process: Process) -> None:
        """Let a member go that has given up its lanes."""
        self._members = [member for member in self._members if member.process is not process]
        self.rebalance()

    def expire(self, process: Process) -> None:
        """Drop a member that stands still; should it wake up, it loses its lanes late, and joins again."""
        for member in [member for member in self._members if member.process is process]:
            self._members.remove(member)
            process.spawn(self._take(member))
            self.rebalance()

    async def run(self) -> None:
        """Rebalance as often as it is asked for."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._world.clock.sleep(self._dice.random() * 0.1)
            await self._rebalance()

    async def _rebalance(self) -> None:
        taking = {self._world.spawn(self._take(member)): member for member in self._members}
        if taking:
            _, late = await asyncio.wait(taking, timeout=REBALANCE_S)
            self._members = [member for member in self._members if member not in {taking[task] for task in late}]
        lanes = self._dice.sample(self._lanes, len(self._lanes))
        self._world.note("rebalanced", *(member.process.name for member in self._members))
        for number, member in enumerate(self._members):
            self._world.spawn(self._give(member, lanes[number :: len(self._members)]))

    async def _give(self, member: Member, lanes: list[LaneId]) -> None:
        async with member.turn:
            await member.process.travel(member.process.dice("group"))
            member.lanes = lanes
            await member.assigned(lanes)

    async def _take(self, member: Member) -> None:
        """Take a member's lanes; one that was dropped meanwhile joins again."""
        async with member.turn:
            await member.process.travel(member.process.dice("group"))
            await member.revoked(member.lanes)
            await member.process.settle()
            member.lanes = []
        if member not in self._members and not member.process.stop.is_set():
            self.join(member)


class GroupMembership:
    """The `Membership` of one process."""

    def __init__(self, group: Group, log: Log, process: Process) -> None:
        self._group = group
        self._log = log
        self._process = process

    def join(self, assigned: LanesChange, revoked: LanesChange) -> None:
        self._group.join(Member(self._process, assigned, revoked))

    async def ends(self) -> Mapping[LaneId, tuple[int, int]]:
        await self._process.settle()
        return {lane: (self._log.first, end) for lane, end in self._log.ends.items()}

    async def publish_marks(self) -> None:
        await self._process.settle()
