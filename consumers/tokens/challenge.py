"""The challenge: what a caller without an accepted token is told.

[MS-XOAUTH] 3.2.5.4 and 4.6, and [MS-SPS2SAUTH] 3.1.5 for SharePoint.
"""

from collections.abc import Iterable

from consumers.tokens.auth_config import AuthConfig
from consumers.tokens.partner import PartnerApplication
from schemas.principals import SHAREPOINT


def challenge(config: AuthConfig, partners: Iterable[PartnerApplication]) -> str:
    """Return the value of `WWW-Authenticate`: who we are, and whose tokens we take; of partners, the enabled ones.

    SharePoint spells the list `trustedissuers` and always names its realm; Exchange spells it `trusted_issuers`.
    """
    trusted = ",".join(str(partner.principal) for partner in partners if partner.enabled)
    if config.application == SHAREPOINT:
        return f'Bearer realm="{config.realm}",client_id="{config.application}",trustedissuers="{trusted}"'
    return f'Bearer client_id="{config.application}", trusted_issuers="{trusted}", realm="{config.realm}"'
