"""Who the Exchange side is, and how strict its clock is: what it checks tokens against."""

from dataclasses import dataclass
from typing import Final

from schemas.principals import EXCHANGE
from schemas.support import Deployment, Installation, Product, Version

SKEW_S_MAX: Final = 300
"""Clocks of one organisation differ by less: Kerberos refuses more (RFC 4120, section 1.6)."""

LIFE_S_MAX: Final = 24 * 3600
"""The longest life of a token that is accepted: twice what the longest-lived samples have (domain reference, 5.3)."""


EXCHANGE_2013: Final = Installation(Product.EXCHANGE, Deployment.ON_PREMISES, Version.V2013)


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """This server's own identity (Set-AuthConfig): its application id, its realm, and the hosts it answers to.

    `hosts` are in lower case. `installation` is what it is and where, which decides whose tokens are supported.
    """

    realm: str
    hosts: frozenset[str]
    application: str = EXCHANGE
    skew_s: float = 60
    life_s_max: float = LIFE_S_MAX
    installation: Installation = EXCHANGE_2013
    cross_premises: bool = False
