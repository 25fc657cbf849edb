"""Checking a token against what is trusted now: partners as they are stored, and their keys as they are published."""

from collections.abc import Sequence

from consumers.tokens.auth_config import AuthConfig
from consumers.tokens.partner import PartnerApplication
from consumers.tokens.ports import PartnerStore
from consumers.tokens.refresh import Refresher
from consumers.tokens.rules import Rule, TokenRefused
from consumers.tokens.verifier import AcceptedToken, UserRoles, issuer_of, verify
from schemas.clock import Clock


class TokenCheck:
    """Verifies tokens for this server. A key that is not known yet causes one rate-limited refresh of its partner."""

    def __init__(
        self, *, config: AuthConfig, partners: PartnerStore, refresher: Refresher, user_roles: UserRoles, clock: Clock
    ) -> None:
        self._config = config
        self._partners = partners
        self._refresher = refresher
        self._user_roles = user_roles
        self._clock = clock

    async def accept(self, token: str) -> AcceptedToken:
        """Return what the token opens. Raises TokenRefused, DependencyUnavailable where partners cannot be read."""
        partners = await self._partners.partners()
        try:
            return self._verify(token, partners)
        except TokenRefused as refused:
            if refused.rule is not Rule.UNKNOWN_KEY:
                raise
            issuer = issuer_of(token)
            if issuer is None or await self._refresher.refresh(issuer) is None:
                raise
        return self._verify(token, await self._partners.partners())

    def _verify(self, token: str, partners: Sequence[PartnerApplication]) -> AcceptedToken:
        return verify(token, config=self._config, partners=partners, user_roles=self._user_roles, now=self._clock.now())
