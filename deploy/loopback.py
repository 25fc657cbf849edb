"""Which hosts nobody but this machine reaches: there alone, tokens and secrets may go without TLS."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine, as it sees itself (RFC 6761, section 6.3)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
