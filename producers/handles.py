"""SIP addresses for the handles of chat logs: reversible, and never the same for two handles."""

import re
from typing import Final

HOST: Final = "chat.example"
"""The host of every derived address. `.example` is reserved (RFC 2606), so none of them belongs to anybody."""

_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-")
_USER: Final = {byte: chr(byte) if byte in _PLAIN else f"_{byte:02x}" for byte in range(256)}
_ADDRESS: Final = re.compile(r"sip:((?:[a-z0-9-]|_[0-9a-f]{2})+|_)@" + re.escape(HOST))
_ESCAPE: Final = re.compile(rb"_([0-9a-f]{2})")


def sip_of(handle: str) -> str:
    """Return the handle's address: bytes of its UTF-8 other than `[a-z0-9-]` become `_xx`, no handle becomes `_`.

    Raises UnicodeEncodeError for a lone surrogate, which UTF-8 cannot hold.
    """
    return f"sip:{''.join(_USER[byte] for byte in handle.encode()) or '_'}@{HOST}"


def handle_of(sip: str) -> str:
    """Return the handle whose address this is. Raises ValueError for all that `sip_of` never returns."""
    match = _ADDRESS.fullmatch(sip)
    if match is None:
        raise ValueError("the address was not derived from a handle")
    user = match[1]
    handle = "" if user == "_" else _ESCAPE.sub(_byte, user.encode()).decode()
    if sip_of(handle) != sip:
        raise ValueError("the address escapes what needs no escape")
    return handle


def _byte(escape: re.Match[bytes]) -> bytes:
    return bytes((int(escape[1], 16),))
