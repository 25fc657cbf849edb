"""Who opens grants in an episode."""

from consumers.grant import Grant, GrantRefused
from schemas.errors import DependencyUnavailable
from tests.episodes.process import Process
from tests.episodes.world import Trouble


class DistantAuthority:
    """The `GrantAuthority` of one process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def open(self) -> Grant:
        world, dice = self._process.world, self._process.dice("authority")
        await self._process.travel(dice)
        world.note(self._process.name, "asks for a grant")
        if world.has(Trouble.GRANTS_REFUSED) or world.has(Trouble.PARTNER_DISABLED):
            raise GrantRefused("no grant is opened now")
        if world.has(Trouble.ISSUER_DOWN):
            raise DependencyUnavailable("the issuer is down")
        grant = world.grant()
        await self._process.travel(dice)
        return grant
