"""Everything that checking a token takes, in memory: partners, what they publish, and a clock."""

from consumers.tokens.check import TokenCheck
from consumers.tokens.memory_partners import MemoryPartners
from consumers.tokens.partner import PartnerApplication, PartnerKey
from consumers.tokens.refresh import Refresher
from tests.support.clock import ManualClock
from tests.support.metadata import ScriptedMetadata
from tests.support.tokens import lync_world, roles_of, world


class Checking:
    """A check that trusts Lync with its usual key, and `others`; whoever is asked publishes `published`."""

    def __init__(self, *published: PartnerKey, others: tuple[PartnerApplication, ...] = ()) -> None:
        (self.lync,) = lync_world().partners
        self.config = world().config
        self.clock = ManualClock()
        self.source = ScriptedMetadata(published)
        self.partners = MemoryPartners([self.lync, *others])
        self.check = TokenCheck(
            config=self.config,
            partners=self.partners,
            refresher=Refresher(self.source, self.partners, self.clock),
            user_roles=roles_of,
            clock=self.clock,
        )
