"""Whether a grant still stands: what was trusted when its token was accepted may not be trusted any more."""

from consumers.grant import ARCHIVE_ROLE, Grant, GrantRefused
from consumers.tokens.partner import PartnerApplication, TrustLevel


def check_trust(grant: Grant, partner: PartnerApplication | None) -> None:
    """Raise GrantRefused where the partner, as it is known now, does not stand behind the grant; the reason is named.

    Called within every commit, on the partner as that commit sees it.
    """
    reason = _doubt(grant, partner)
    if reason is not None:
        raise GrantRefused(f"the grant of token {grant.token_id} is over: {reason}")


def _doubt(grant: Grant, partner: PartnerApplication | None) -> str | None:
    if partner is None:
        return f"{grant.principal} is no partner application"
    needed = {TrustLevel.FULL} if grant.user is not None else {TrustLevel.FULL, TrustLevel.APPLICATION}
    doubts = (
        (not partner.enabled, "is disabled"),
        (grant.x5t not in {key.x5t for key in partner.keys}, f"no longer signs with key {grant.x5t}"),
        (grant.user is None and ARCHIVE_ROLE not in partner.roles, f"no longer has the role {ARCHIVE_ROLE}"),
        (partner.deployment is not grant.deployment, "runs elsewhere now"),
        (partner.trust not in needed, "is no longer trusted for that"),
    )
    return next((f"partner application {partner.name} {reason}" for doubted, reason in doubts if doubted), None)
