"""Issuing: which tokens there are, and what each says. Shapes and order are the samples' (domain reference, 5.3)."""

from secrets import token_urlsafe
from typing import Final, NamedTuple

from producers.tokens.keyring import OVERLAP_S, Keyring
from producers.tokens.signing import signed, unsigned
from schemas.clock import Clock
from schemas.principals import LYNC, Principal

LIFE_S: Final = 3600
"""A token's life unless the settings say otherwise: hours at most is the advice, and services renew in time."""

LIFE_S_MAX: Final = OVERLAP_S
"""As long as the samples' tokens live; what is stolen is worth that long, and its key is published that long."""


class Issued(NamedTuple):
    """A token and how long it lives. The text is a secret."""

    text: str
    life_s: int


class TokenIssuer:
    """Signs for one application of one realm, by the current key of its keyring."""

    def __init__(self, keyring: Keyring, realm: str, clock: Clock, life_s: int = LIFE_S) -> None:
        assert 0 < life_s <= LIFE_S_MAX
        self.keyring = keyring
        self.principal = Principal(LYNC, realm)
        self._clock = clock
        self._life_s = life_s

    def app_token(self, audience: str) -> Issued:
        """Return a token by which the application acts for itself at `audience` (application/host@realm)."""
        return Issued(self._actor(audience, self._now(), delegated=False), self._life_s)

    def user_token(self, audience: str, user: str, name_issuer: str) -> Issued:
        """Return a token by which the application acts for a user: an unsigned one around a signed actor token."""
        now = self._now()
        outer = {
            "aud": audience,
            "iss": str(self.principal),
            "nbf": str(now),
            "exp": str(now + self._life_s),
            "nameid": user,
            "nii": name_issuer,
            "actortoken": self._actor(audience, now, delegated=True),
        }
        return Issued(unsigned(outer), self._life_s)

    def access_token(self, audience: str, client: str) -> Issued:
        """Return a token for a server of another kind, such as Kafka, in the discipline of RFC 9068, section 2."""
        key = self.keyring.keys().current
        now = self._now()
        claims = {
            "iss": str(self.principal),
            "aud": audience,
            "sub": client,
            "nameid": client,
            "client_id": client,
            "iat": now,
            "nbf": now,
            "exp": now + self._life_s,
            "jti": token_urlsafe(16),
        }
        return Issued(signed(key, claims, {"typ": "at+jwt", "x5t": key.x5t, "kid": key.x5t}), self._life_s)

    def _actor(self, audience: str, now: int, *, delegated: bool) -> str:
        key = self.keyring.keys().current
        claims = {
            "aud": audience,
            "iss": str(self.principal),
            "nameid": str(self.principal),
            "nbf": str(now),
            "exp": str(now + self._life_s),
        }
        if delegated:
            claims["trustedfordelegation"] = "true"
        return signed(key, claims, {"x5t": key.x5t})

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
