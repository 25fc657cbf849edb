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
    if not partner.enabled:
        return f"partner application {partner.name} is disabled"
    if grant.x5t not in {key.x5t for key in partner.keys}:
        return f"partner application {partner.name} no longer signs with key {grant.x5t}"
    if grant.user is None and ARCHIVE_ROLE not in partner.roles:
        return f"partner application {partner.name} no longer has the role {ARCHIVE_ROLE}"
    if partner.trust is not TrustLevel.FULL and (grant.user is not None or partner.trust is TrustLevel.USER):
        return f"partner application {partner.name} is no longer trusted for that"
    return None
