"""What an organisation says about archiving, each value of it frozen: who is archived, where to, and for how long.

Names and defaults are those of the Lync cmdlets (CsArchivingConfiguration, CsArchivingPolicy, CsUser; domain
reference, sections 1.2 to 1.4).
"""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, StringConstraints

from schemas.events import Contract

EXCHANGE_2013: Final = 2013
"""The oldest Exchange whose mailboxes take what Lync archives (domain reference, section 6.1)."""


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


PlaceName = Annotated[str, BeforeValidator(_lowered), StringConstraints(max_length=256, pattern=r"^[a-z0-9._-]*$")]
"""A site, a pool's host name or a policy's tag: lower case, since Lync compares them without case."""


class _CmdletValue(StrEnum):
    """A value that may also be spelt as the cmdlets do: neither case nor hyphens matter."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        plain = value.casefold().replace("-", "") if isinstance(value, str) else None
        return next((member for member in cls if member.replace("-", "") == plain), None)


class ArchivedSessions(_CmdletValue):
    """`EnableArchiving`: which kinds of session are archived."""

    NONE = "none"
    IM_ONLY = "im-only"
    IM_AND_WEB_CONF = "im-and-web-conf"


class ExchangeArchiving(_CmdletValue):
    """`ExchangeArchivingPolicy` of a user."""

    UNINITIALIZED = "uninitialized"
    USE_LYNC = "use-lync-archiving-policy"
    NO_ARCHIVING = "no-archiving"
    TO_EXCHANGE = "archiving-to-exchange"


class ArchivingConfiguration(Contract):
    """`CsArchivingConfiguration` of the organisation, a site or a pool; hours and days as their names say."""

    enable_archiving: ArchivedSessions = Field(ArchivedSessions.NONE, strict=False)
    enable_exchange_archiving: bool = False
    archive_duplicate_messages: bool = True
    block_on_archive_failure: bool = False
    cache_purging_interval_h: Annotated[int, Field(ge=4, le=168)] = 24
    enable_purging: bool = False
    keep_archiving_data_for_days: Annotated[int, Field(ge=1, le=2562)] = 14
    purge_exported_archives_only: bool = False
    purge_hour_of_day: Annotated[int, Field(ge=0, le=23)] = 2


class ArchivingPolicy(Contract):
    """`CsArchivingPolicy`: conversations within the organisation, and those with somebody from outside."""

    archive_internal: bool = False
    archive_external: bool = False


class PoolPlace(Contract):
    """The site that a pool stands in."""

    site: PlaceName


class DirectoryUser(Contract):
    """A user with an account in the organisation.

    `policy` is the tag of an archiving policy of their own, empty for none. `mailbox` is the year of their mailbox's
    Exchange version, 0 for no mailbox. `conversation_history` says whether they keep what they see themselves.
    """

    pool: PlaceName = ""
    policy: PlaceName = ""
    exchange_archiving: ExchangeArchiving = Field(ExchangeArchiving.UNINITIALIZED, strict=False)
    mailbox: Annotated[int, Field(ge=0, le=9999)] = EXCHANGE_2013
    conversation_history: bool = True


class MailboxHold(Contract):
    """Whether a mailbox is on hold, for what Lync archives too."""

    held: bool = True


PolicyValue = ArchivingConfiguration | ArchivingPolicy | PoolPlace | DirectoryUser | MailboxHold
