"""A session: one token that was presented to open a grant, and what came of it. Kept for ever, for auditors."""

from datetime import datetime
from typing import NamedTuple


class Session(NamedTuple):
    """`rule` is None where the token was accepted, else the rule that refused it.

    Of a refused token nothing is known for certain, so nothing that it says is here: only its id, which is no part
    of it. `at` is aware, UTC.
    """

    at: datetime
    rule: str | None
    token_id: str
    application: str | None = None
    realm: str | None = None
    user: str | None = None
    x5t: str | None = None
    expires_at: datetime | None = None

    @property
    def accepted(self) -> bool:
        """Whether a grant was opened."""
        return self.rule is None
