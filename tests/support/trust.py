"""Somebody who is trusted, and leave to write that follows from it, for tests that are about something else."""

from datetime import timedelta
from typing import Final

from consumers.grant import ARCHIVE_ROLE, Grant
from consumers.tokens.memory_partners import MemoryPartners
from consumers.tokens.partner import PartnerApplication, PartnerKey, TrustLevel
from consumers.tokens.session import Session
from schemas.errors import LyncArchiverError
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


class MemorySessions:
    """The `SessionLog` in a list; `error` makes recording fail."""

    error: LyncArchiverError | None = None

    def __init__(self) -> None:
        self.recorded: list[Session] = []

    async def record(self, session: Session) -> None:
        if self.error is not None:
            raise self.error
        self.recorded.append(session)


class GivenTokens:
    """The `TokenSource` that gives these tokens, the next one once one is discarded; `error` makes asking fail."""

    error: LyncArchiverError | None = None

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.audiences: list[str] = []
        self.discarded: list[str] = []

    async def token(self, audience: str) -> str:
        if self.error is not None:
            raise self.error
        self.audiences.append(audience)
        return self.tokens[0]

    def discard(self, audience: str) -> None:
        self.discarded.append(audience)
        if len(self.tokens) > 1:
            self.tokens.pop(0)
