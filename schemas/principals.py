"""Who takes part in server-to-server authentication: applications, realms, and audiences, as tokens name them.

`application@realm` names an application (domain reference, section 5.1); `application/host@realm` names one of its
servers, which is what a token is for (section 5.3, [MS-XOAUTH] 3.2.5.6).
"""

from typing import Final, NamedTuple

EXCHANGE: Final = "00000002-0000-0ff1-ce00-000000000000"
SHAREPOINT: Final = "00000003-0000-0ff1-ce00-000000000000"
LYNC: Final = "00000004-0000-0ff1-ce00-000000000000"
"""Microsoft's own application ids; every installation has the same."""

PRINCIPAL_CHARS_MAX: Final = 512
"""An id of 36, a host and a realm of 253 each at most (RFC 1035, section 2.3.4)."""


class Principal(NamedTuple):
    """An application of a realm. Both parts compare with case."""

    application: str
    realm: str

    def __str__(self) -> str:
        return f"{self.application}@{self.realm}"


class Audience(NamedTuple):
    """A server of an application. Application and realm compare with case, the host does not (RFC 1035)."""

    application: str
    host: str
    realm: str

    def __str__(self) -> str:
        return f"{self.application}/{self.host}@{self.realm}"


def parse_principal(text: str) -> Principal | None:
    """Return the principal that the text names, or None for any other text."""
    application, at, realm = text.partition("@")
    if not at or not _plain(text) or not application or not realm or "@" in realm or "/" in text:
        return None
    return Principal(application, realm)


def parse_audience(text: str) -> Audience | None:
    """Return the audience that the text names, or None for any other text."""
    application, slash, rest = text.partition("/")
    host, at, realm = rest.partition("@")
    if not slash or not at or not _plain(text) or not all((application, host, realm)) or "/" in rest or "@" in realm:
        return None
    return Audience(application, host, realm)


def _plain(text: str) -> bool:
    """Visible ASCII only: nothing that looks like another character or ends a line."""
    return len(text) <= PRINCIPAL_CHARS_MAX and all("!" <= character <= "~" for character in text)
