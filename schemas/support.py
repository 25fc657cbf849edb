"""Which installations work together, and at what: the one table of what is supported.

The rule is the support page's: two scenarios of server-to-server authentication, both sides on premises or both
online (domain reference, section 6.1). Later pages and the hybrid table support pairs across premises too (0.1, no. 1,
and 6.3); that reading is a switch, off by default.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from schemas.errors import Misconfigured


class Deployment(StrEnum):
    """Where an installation runs."""

    ON_PREMISES = "on-premises"
    ONLINE = "online"


class Version(StrEnum):
    """Releases of Exchange and SharePoint, by year; an online service has none."""

    V2003 = "2003"
    V2007 = "2007"
    V2010 = "2010"
    V2013 = "2013"
    V2016 = "2016"
    ONLINE = "online"


class Product(StrEnum):
    """What the Lync side integrates with."""

    EXCHANGE = "exchange"
    SHAREPOINT = "sharepoint"


class Feature(StrEnum):
    """What two installations may do together."""

    HISTORY = "conversation history in user folders"
    MISSED = "missed conversations and call logs in the mailbox"
    CONTACTS = "unified contact store"
    ARCHIVING = "archiving into Exchange storage"
    SEARCH = "search of archived content"


class Reason(StrEnum):
    """Why a combination is refused."""

    CROSS_PREMISES = "cross-premises"
    VERSION_MISMATCH = "version-mismatch"
    OLDER_VERSION = "older-version"
    NOT_OFFERED = "not-offered"


class UnsupportedTopology(Misconfigured):
    """The two installations are not supported together, or not for this; `reason` says why."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Installation(NamedTuple):
    """One partner of the Lync side: what it is, where it runs, and its release."""

    product: Product
    deployment: Deployment
    version: Version


_ALL: Final = frozenset(Feature)
_MAILBOX: Final = frozenset({Feature.HISTORY, Feature.MISSED})
_ARCHIVE: Final = frozenset({Feature.SEARCH})

_ON, _OFF = Deployment.ONLINE, Deployment.ON_PREMISES
_EXCHANGE, _SHAREPOINT = Product.EXCHANGE, Product.SHAREPOINT

MATRIX: Final[dict[tuple[Deployment, Product, Deployment], dict[Version, frozenset[Feature]]]] = {
    # Lync's deployment, the partner, its deployment: what works with each of its releases
    (_OFF, _EXCHANGE, _OFF): {
        Version.V2003: frozenset(),
        Version.V2007: _MAILBOX,
        Version.V2010: _MAILBOX,
        Version.V2013: _ALL,
        Version.V2016: _ALL,
    },
    (_OFF, _SHAREPOINT, _OFF): {Version.V2010: frozenset(), Version.V2013: _ARCHIVE, Version.V2016: _ARCHIVE},
    (_ON, _EXCHANGE, _ON): {Version.ONLINE: _ALL},
    (_ON, _SHAREPOINT, _ON): {Version.ONLINE: _ARCHIVE},
    # Across premises; refused unless the switch is on.
    (_OFF, _EXCHANGE, _ON): {Version.ONLINE: _ALL},
    (_OFF, _SHAREPOINT, _ON): {Version.ONLINE: _ARCHIVE},
    (_ON, _EXCHANGE, _OFF): {
        Version.V2003: frozenset(),
        Version.V2007: frozenset(),
        Version.V2010: frozenset({Feature.MISSED}),
        Version.V2013: _MAILBOX,
        Version.V2016: _MAILBOX,
    },
    (_ON, _SHAREPOINT, _OFF): {Version.V2010: frozenset(), Version.V2013: frozenset(), Version.V2016: frozenset()},
}
"""Sections 6.1 to 6.3 of the domain reference; a release that is not in a row does not exist there."""


def check_supported(lync: Deployment, partner: Installation, feature: Feature, *, cross_premises: bool) -> None:
    """Raise UnsupportedTopology where a Lync installation may not do this with the partner.

    `cross_premises` takes the later guidance, by which one side may be on premises and the other online.
    """
    names = f"Lync {lync} with {partner.product} {partner.version} {partner.deployment}"
    if lync is not partner.deployment and not cross_premises:
        raise UnsupportedTopology(Reason.CROSS_PREMISES, f"{names} is not a supported pair")
    releases = MATRIX[lync, partner.product, partner.deployment]
    if partner.version not in releases:
        raise UnsupportedTopology(Reason.VERSION_MISMATCH, f"there is no {partner.product} {partner.version} there")
    if feature in releases[partner.version]:
        return
    newest = frozenset().union(*releases.values())
    reason = Reason.OLDER_VERSION if feature in newest else Reason.NOT_OFFERED
    raise UnsupportedTopology(reason, f"{names} has no {feature}")
