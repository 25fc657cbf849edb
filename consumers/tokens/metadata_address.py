"""Which metadata addresses may be pinned: https, or plain http where nothing leaves the machine."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from consumers.tokens.metadata_rules import AddressRefused

ADDRESS_CHARS_MAX: Final = 2048
"""The length that browsers and proxies agree to carry, and that the document's own endpoints are held to."""

_HOST: Final = re.compile(r"(?=.{1,253}\.?$)[0-9A-Za-z_-]{1,63}(\.[0-9A-Za-z_-]{1,63})*\.?")
"""RFC 1035, section 2.3.4; the resolver breaks on longer labels. No backslash, over which parsers differ."""


def check_address(address: str) -> None:
    """Raise AddressRefused unless this is an https URL of a host, or an http one of this machine.

    No user information, no fragment (RFC 3986, sections 3.2.1 and 3.5). SharePoint holds to the same by default
    (AllowMetadataOverHttp; domain reference, section 5.2). The message does not repeat the address.
    """
    if len(address) > ADDRESS_CHARS_MAX or not all("!" <= character <= "~" for character in address):
        raise AddressRefused("the metadata address is too long, or not plain ASCII")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressRefused("the metadata address is no URL") from None
    if "@" in parts.netloc or "#" in address or port == 0 or not (_literal(host) or _HOST.fullmatch(host)):
        raise AddressRefused("the metadata address is more, or less, than scheme, host, port, path and query")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise AddressRefused("the metadata address is not https")


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine: `localhost` (RFC 6761, section 6.3) or a loopback address."""
    return host == "localhost" or (_literal(host) and ip_address(host).is_loopback)


def _literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # a zone (RFC 6874) names an interface of one machine
