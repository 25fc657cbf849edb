"""The development authority: opens grants without any token. Named in full, and loud at start, on purpose."""

from datetime import timedelta

import structlog

from consumers.grant import ARCHIVE_ROLE, Grant
from schemas.clock import Clock

GRANT_LIFE_S = 3600
"""As long as a service token's default life, so that renewal is exercised before tokens exist."""


class DevelopmentAuthority:
    """Grants archiving to whoever asks. For the local stack only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        structlog.get_logger().warning(
            "development authority: writes are granted without a token", action="development-authority"
        )

    async def open(self) -> Grant:
        return Grant(
            application="development",
            realm="development",
            roles=frozenset({ARCHIVE_ROLE}),
            token_id="none",  # noqa: S106 - an id, and there is no token
            expires_at=self._clock.now() + timedelta(seconds=GRANT_LIFE_S),
        )
