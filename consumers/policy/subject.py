"""What a policy is about: the organisation, a site, a pool, a policy's tag, a user or a mailbox."""

import re
from enum import StrEnum
from typing import Final, NamedTuple

from schemas.errors import LyncArchiverError
from schemas.policies import (
    ArchivingConfiguration,
    ArchivingPolicy,
    DirectoryUser,
    MailboxHold,
    PolicyValue,
    PoolPlace,
)


class NoSuchSubject(LyncArchiverError):
    """Nothing of that name can have a policy."""


class SubjectKind(StrEnum):
    """Which kind of value a subject has. Stored, so a member is never renamed."""

    CONFIGURATION = "configuration"
    POLICY = "policy"
    POOL = "pool"
    USER = "user"
    HOLD = "hold"


class Subject(NamedTuple):
    """A kind, and the identity of one of that kind, in lower case.

    Configurations have `global`, `site:NAME` and `service:registrar:HOST`, policies `global`, `site:NAME` and
    `tag:NAME`, pools their host, users and holds a SIP address (domain reference, sections 1.2 and 1.3).
    """

    kind: SubjectKind
    identity: str

    def __str__(self) -> str:
        return f"{self.kind} {self.identity}"


MODELS: Final[dict[SubjectKind, type[PolicyValue]]] = {
    SubjectKind.CONFIGURATION: ArchivingConfiguration,
    SubjectKind.POLICY: ArchivingPolicy,
    SubjectKind.POOL: PoolPlace,
    SubjectKind.USER: DirectoryUser,
    SubjectKind.HOLD: MailboxHold,
}
"""What each kind of subject is given."""

GLOBAL: Final = "global"

_NAME: Final = "[a-z0-9._-]{1,256}"
_SOURCE: Final = re.compile(f"/pools/({_NAME})/focus")
_SIP: Final = r"sip:[^\s@]+@[a-z0-9.-]+"
_IDENTITIES: Final = {
    SubjectKind.CONFIGURATION: re.compile(f"global|site:{_NAME}|service:registrar:{_NAME}"),
    SubjectKind.POLICY: re.compile(f"global|(site|tag):{_NAME}"),
    SubjectKind.POOL: re.compile(_NAME),
    SubjectKind.USER: re.compile(_SIP),
    SubjectKind.HOLD: re.compile(_SIP),
}
_FORMS: Final = {
    SubjectKind.CONFIGURATION: "global, site:NAME or service:registrar:HOST",
    SubjectKind.POLICY: "global, site:NAME or tag:NAME",
    SubjectKind.POOL: "its host's name",
    SubjectKind.USER: "a SIP address like sip:alice@contoso.example",
    SubjectKind.HOLD: "a SIP address like sip:alice@contoso.example",
}
"""The same for people."""


def pool_of(source: str) -> str:
    """Return the pool of the server that runs a conference, given its event source, in lower case; empty for others.

    Such a source is `/pools/NAME/focus`, and nobody else reports the same event: devices would each name their own.
    """
    found = _SOURCE.fullmatch(source.lower())
    return found[1] if found else ""


def subject_of(kind: SubjectKind, identity: str) -> Subject:
    """Return the subject with this identity, in any case. Raises NoSuchSubject."""
    lower = identity.lower()
    if _IDENTITIES[kind].fullmatch(lower) is None:
        raise NoSuchSubject(f"{identity!r} is no identity of a {kind}, which is {_FORMS[kind]}")
    return Subject(kind, lower)
