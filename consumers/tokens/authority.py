"""The authority: opens grants from tokens that it verified, and records every session, accepted or refused."""

from consumers.grant import Grant
from consumers.tokens.check import TokenCheck
from consumers.tokens.compact import token_id
from consumers.tokens.ports import SessionLog
from consumers.tokens.rules import TokenRefused
from consumers.tokens.session import Session
from schemas.clock import Clock
from schemas.login import TokenSource
from schemas.principals import Audience


class TokenAuthority:
    """The `GrantAuthority` of a process: asks its token service for a token, and trusts that no more than any other."""

    def __init__(
        self, *, tokens: TokenSource, audience: Audience, check: TokenCheck, sessions: SessionLog, clock: Clock
    ) -> None:
        self._tokens = tokens
        self._audience = str(audience)
        self._check = check
        self._sessions = sessions
        self._clock = clock

    async def open(self) -> Grant:
        token = await self._tokens.token(self._audience)
        try:
            accepted = await self._check.accept(token)
        except TokenRefused as refused:
            self._tokens.discard(self._audience)
            await self._sessions.record(Session(self._clock.now(), str(refused.rule), token_id(token)))
            raise
        grant = Grant(**accepted._asdict())
        await self._sessions.record(
            Session(
                at=self._clock.now(),
                rule=None,
                token_id=grant.token_id,
                application=grant.principal.application,
                realm=grant.principal.realm,
                user=grant.user,
                x5t=grant.x5t,
                expires_at=grant.expires_at,
            )
        )
        return grant
