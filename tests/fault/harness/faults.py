"""How each kind of fault is made to happen, and how it ends."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from deploy.stack.process import Server
from tests.fault.harness.episode import Play
from tests.fault.harness.ground import LIFE_S
from tests.fault.harness.members import Member
from tests.fault.harness.plan import LASTING, OF_KAFKA, OF_MONGODB, Fault, Kind
from tests.support.link import Link

TAKEN_OVER_LIMIT_S: Final = 90.0
NOTICED_LIMIT_S: Final = 30.0
GONE_LIMIT_S: Final = 30.0
CUTS_MAX: Final = 3

End = Callable[[], Awaitable[None]]


class Faults:
    """Injects the faults of one play. What a fault leaves disturbed ends with `end_lasting`."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._ground = play.ground
        self._lasting: list[End] = []

    async def inject(self, fault: Fault) -> None:
        """Let the fault happen. One that lasts, lasts on where the next of the plan is to meet it."""
        ground = self._ground
        match fault.kind:
            case Kind.KILL | Kind.TERM | Kind.JOIN | Kind.LEAVE | Kind.ZOMBIE | Kind.CLOCK:
                await self._member(fault)
            case Kind.MONGOD_KILL | Kind.MONGOD_RESTART | Kind.MONGOD_FULL:
                await self._restart(ground.mongod, fault)
            case Kind.BROKER_KILL | Kind.BROKER_RESTART:
                await self._restart(ground.broker, fault)
            case Kind.MONGOD_FREEZE | Kind.BROKER_FREEZE:
                server = ground.mongod if fault.kind == Kind.MONGOD_FREEZE else ground.broker
                ground.signal(server, signal.SIGSTOP)
                await self._last(fault, self._resumes(server))
            case Kind.ISSUER_AWAY | Kind.ISSUER_REFUSE | Kind.PARTNER:
                await self._trust(fault)
            case Kind.REDELIVERY:
                await self._redeliver(fault)
            case _:
                await self._link(fault)

    async def end_lasting(self) -> None:
        """End what lasts until somebody ends it."""
        while self._lasting:
            await self._lasting.pop()()

    async def _last(self, fault: Fault, end: End) -> None:
        """Let a fault last for its time; or on, where another is to happen meanwhile."""
        self._lasting.append(end)
        await self._play.patient(lambda _: False, fault.hold_s)
        faults = self._play.plan.faults
        number = faults.index(fault)
        if not (fault.kind in LASTING and number + 1 < len(faults) and faults[number + 1].joined):
            await self.end_lasting()

    def _chosen(self, fault: Fault) -> Member:
        """Return the member that the fault is for: one that has had something to do, where there is one."""
        present = self._play.group.present
        busy = [member for member in present if member.commits] or present
        return busy[fault.member % len(busy)]

    async def _member(self, fault: Fault) -> None:
        group = self._play.group
        if fault.kind == Kind.JOIN:
            group.join()
            return
        member = self._chosen(fault)
        match fault.kind:
            case Kind.KILL:
                member.signal(signal.SIGKILL)
            case Kind.TERM:
                member.signal(signal.SIGTERM)
            case Kind.LEAVE:
                member.wanted = False
                member.signal(signal.SIGTERM)
            case Kind.ZOMBIE:
                await self._zombie(member)
            case _:
                await self._wrong_clock(member, (1 + fault.size % 12) * 3600 * (1 if fault.hold_s > 1 else -1))

    async def _zombie(self, member: Member) -> None:
        """Suspend it until its lanes are archived by others, and let it go on in the middle of their work."""
        play, late = self._play, len(self._play.rest) // 2
        member.signal(signal.SIGSTOP)
        rest, play.rest = play.rest[late:], play.rest[:late]
        await play.feed_rest()
        await play.caught_up(TAKEN_OVER_LIMIT_S)
        play.rest = rest
        await play.feed_rest()
        member.signal(signal.SIGCONT)

    async def _wrong_clock(self, member: Member, shift_s: float) -> None:
        play, before = self._play, member.delays()
        member.set_clock(shift_s)
        await play.feed_rest()
        await play.patient(
            lambda archived: member.delays() > before or archived >= play.feed.published, NOTICED_LIMIT_S
        )
        member.set_clock(0)

    def _resumes(self, server: Server) -> End:
        async def end() -> None:
            self._ground.signal(server, signal.SIGCONT)

        return end

    async def _restart(self, server: Server, fault: Fault) -> None:
        """End a server in the way that the kind says, and start it again."""
        ground = self._ground
        if fault.kind == Kind.MONGOD_FULL:
            ground.fill_disk(server)
        else:
            stopped = fault.kind in {Kind.MONGOD_RESTART, Kind.BROKER_RESTART}
            await self.end_lasting() if stopped else None
            ground.signal(server, signal.SIGTERM if stopped else signal.SIGKILL)
        if not await self._play.patient(lambda _: server.pid is None, GONE_LIMIT_S):
            ground.signal(server, signal.SIGKILL)
            await self._play.until(lambda _: server.pid is None, GONE_LIMIT_S, f"{server.name} gone")
        self._lasting.clear()
        await ground.start()

    async def _trust(self, fault: Fault) -> None:
        """Take away what grants are opened from, until every member has noticed; then give it back."""
        ground, play = self._ground, self._play
        delays = {member.number: member.delays() for member in play.group.present}
        affected = play.group.present
        match fault.kind:
            case Kind.ISSUER_AWAY:
                ground.signal(ground.stack.stack.issuer, signal.SIGKILL)
            case Kind.ISSUER_REFUSE:
                affected = [member for member in affected if member.number in play.plan.linked]
                await ground.issuer.refuse()
            case _:
                await asyncio.to_thread(play.group.direct.run, "partner", "disable", "lync")
        stopped = await play.progress.archived()
        if fault.kind == Kind.PARTNER:
            await play.feed_rest()
        wait_s = LIFE_S + NOTICED_LIMIT_S
        await play.patient(lambda _: any(one.delays() > delays[one.number] for one in affected), wait_s)
        if fault.kind == Kind.PARTNER:
            if await play.progress.archived() != stopped:
                play.outcome.findings.append("written on the word of a partner that is disabled")
            await asyncio.to_thread(play.group.direct.run, "partner", "enable", "lync")
        await ground.start()

    async def _redeliver(self, fault: Fault) -> None:
        """Publish some of what was published again, in any order."""
        dice = Random(f"redelivery {self._play.plan.seed} {fault.size}")
        known = self._play.workload[: self._play.feed.published]
        again = dice.sample(known, min(len(known), 50 + fault.size % 200))
        await self._play.feed.publish(again)

    async def _link(self, fault: Fault) -> None:
        link, play = self._link_of(fault.kind), self._play
        match fault.kind:
            case Kind.MONGOD_CUT | Kind.KAFKA_CUT:
                for _ in range(1 + fault.size % CUTS_MAX):
                    link.cut()
                    await play.patient(lambda _: False, fault.hold_s / CUTS_MAX)
            case Kind.MONGOD_CUT_AFTER | Kind.KAFKA_CUT_AFTER:
                link.cut_after(fault.size, fault.way)
                await play.patient(lambda _: not link.pending, fault.hold_s + 1)
                link.flow()
            case Kind.MONGOD_STALL | Kind.KAFKA_STALL:
                link.stall(fault.way)
                await self._last(fault, self._flows(link))
            case Kind.MONGOD_SLOW | Kind.KAFKA_SLOW:
                link.slow(0.005 + fault.size % 50 / 1000)
                await self._last(fault, self._flows(link))
            case _:
                await link.refuse()
                await self._last(fault, link.accept)

    def meets(self, fault: Fault) -> bool:
        """Return whether anything uses what the fault is about to disturb."""
        return fault.kind not in OF_KAFKA | OF_MONGODB or self._link_of(fault.kind).busy

    def _link_of(self, kind: Kind) -> Link:
        return self._ground.kafka if kind in OF_KAFKA else self._ground.mongodb

    @staticmethod
    def _flows(link: Link) -> End:
        async def end() -> None:
            link.flow()

        return end
