"""The rules that a partner's metadata can be refused by, and the refusals that name one."""

from enum import StrEnum
from typing import Final

from consumers.grant import GrantRefused
from schemas.errors import Misconfigured


class MetadataRule(StrEnum):
    """Why a partner's metadata is not taken, in the order in which the rules are checked.

    Shown and documented, so a member is never renamed.
    """

    ADDRESS = "metadata-address"
    """The pinned address is not one that may be asked."""

    TOO_SLOW = "metadata-too-slow"
    """The whole answer was not there in time."""

    UNREACHABLE = "metadata-unreachable"
    """There was no connection to the pinned host, or it broke."""

    UNTRUSTED_HOST = "metadata-untrusted-host"
    """The host did not prove by a trusted certificate that it is the pinned one."""

    PROTOCOL = "metadata-protocol"
    """The answer was not HTTP, or ended before it was whole."""

    REDIRECT = "metadata-redirect"
    """The answer pointed elsewhere."""

    STATUS = "metadata-status"
    """The answer was not 200."""

    CONTENT_TYPE = "metadata-content-type"
    """The answer was not application/json."""

    CONTENT_ENCODING = "metadata-content-encoding"
    """The answer was compressed, which nobody asked for."""

    TOO_LARGE = "metadata-too-large"
    """The answer went on beyond the limit."""

    MALFORMED = "metadata-malformed"
    """The answer was no metadata document."""

    FOREIGN = "metadata-foreign"
    """The document was somebody else's."""

    REPEATED_KEY = "metadata-repeated-key"
    """One thumbprint stood twice."""

    MALFORMED_KEY = "metadata-malformed-key"
    """A key was no X.509 certificate."""

    FORGED_KEY = "metadata-forged-key"
    """A thumbprint was not the one of its certificate."""

    WEAK_KEY = "metadata-weak-key"
    """A key was not RSA, or of a size or exponent that is not taken."""

    NO_KEY = "metadata-no-key"
    """No certificate was within its validity."""


class MetadataRefused(GrantRefused):
    """A partner's metadata is not taken; `rule` says why. The message repeats nothing that the answer says."""

    def __init__(self, rule: MetadataRule, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail


class AddressRefused(Misconfigured):
    """The address that the operator pinned may not be asked, so nothing was sent."""

    rule: Final = MetadataRule.ADDRESS

    def __init__(self, detail: str) -> None:
        super().__init__(f"{self.rule}: {detail}")
        self.detail = detail
