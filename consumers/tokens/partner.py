"""Partner applications: whom the Exchange side trusts, how far, and by which keys (New-PartnerApplication)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from consumers.grant import ARCHIVE_ROLE
from schemas.principals import Principal
from schemas.support import Deployment

LYNC_ROLES: Final = frozenset({"UserApplication", ARCHIVE_ROLE})
"""What the linked account of Lync is given (domain reference, section 5.2)."""


class TrustLevel(StrEnum):
    """What a partner may do (ApplicationTrustLevel; domain reference, section 5.2)."""

    FULL = "full"
    """It acts for itself, and for any user of the realm."""

    APPLICATION = "application"
    """It acts for itself only."""

    USER = "user"
    """It never acts for itself; acting for users would need a consent that on-premises servers do not know."""


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """A certificate that the partner signs with: its thumbprint (base64url of SHA-1) and itself, DER."""

    x5t: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class PartnerApplication:
    """One partner. `metadata_url` is pinned by whoever added it; `roles` are those of its linked account.

    `keys` are those of its metadata document as of the latest refresh.
    """

    name: str
    principal: Principal
    metadata_url: str
    trust: TrustLevel
    roles: frozenset[str]
    enabled: bool = True
    keys: tuple[PartnerKey, ...] = ()
    deployment: Deployment = Deployment.ON_PREMISES
