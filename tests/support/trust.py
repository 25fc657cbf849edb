"""Somebody who is trusted, and leave to write that follows from it, for tests that are about something else."""

from datetime import timedelta
from typing import Final

from consumers.grant import ARCHIVE_ROLE, Grant
from consumers.tokens.memory_partners import MemoryPartners
from consumers.tokens.partner import PartnerApplication, PartnerKey, TrustLevel
from schemas.principals import LYNC, Principal
from tests.support.clock import START

KEY: Final = PartnerKey("x" * 27, b"certificate")
PARTNER: Final = PartnerApplication(
    name="lync",
    principal=Principal(LYNC, "contoso.example"),
    metadata_url="http://127.0.0.1/metadata/json/1",
    trust=TrustLevel.FULL,
    roles=frozenset({ARCHIVE_ROLE, "UserApplication"}),
    keys=(KEY,),
)
GRANT: Final = Grant(PARTNER.principal, PARTNER.roles, "t1", KEY.x5t, START + timedelta(days=1000))
"""Leave to archive for longer than any test takes."""


class ReadyAuthority:
    """Grants at once, always the same."""

    async def open(self) -> Grant:
        return GRANT


def trusting() -> MemoryPartners:
    """Return a partner store that knows the one partner."""
    return MemoryPartners([PARTNER])
