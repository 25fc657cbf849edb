"""Partners' metadata over HTTP: one GET of the pinned address, and nothing that the answer could make us do."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from consumers.tokens.metadata_address import check_address
from consumers.tokens.metadata_rules import AddressRefused, MetadataRefused, MetadataRule
from consumers.tokens.partner import PartnerApplication, PartnerKey
from consumers.tokens.published_keys import published_keys
from schemas.clock import Clock
from schemas.metadata import METADATA_BYTES_MAX, MalformedMetadata, MetadataDocument, parse_metadata

FETCH_TIMEOUT_S: Final = 5.0
"""From looking up the host to the last byte. A document is one round trip and a few KiB."""

CONTENT_TYPE: Final = "application/json"

_HEADERS: Final = {"Accept": CONTENT_TYPE, "Accept-Encoding": "identity", "User-Agent": "lync-archiver"}


class HttpMetadata:
    """The `MetadataSource` over HTTP.

    Trust in hosts is the operating system's, since an organisation's own authority is known there, unless `tls` says
    otherwise. Proxies and credentials of the environment are not used. Connections are not kept: the next document is
    wanted a minute later at the soonest.
    """

    def __init__(self, clock: Clock, timeout_s: float = FETCH_TIMEOUT_S, tls: ssl.SSLContext | None = None) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        # The driver closes a socket when its own limit ends the TLS handshake, and not when it is cancelled in it. The
        # limit holds for connecting and for the handshake each.
        self._limits = httpx.Timeout(timeout_s, connect=0.4 * timeout_s)
        self._tls = tls or ssl.create_default_context()

    async def fetch(self, partner: PartnerApplication) -> tuple[PartnerKey, ...]:
        check_address(partner.metadata_url)
        with _refused(partner):
            content = await self._content(partner.metadata_url)
        return published_keys(_document(content), partner, self._clock.now())

    async def _content(self, address: str) -> bytes:
        async with (
            asyncio.timeout(self._timeout_s),
            httpx.AsyncClient(
                headers=_HEADERS, verify=self._tls, timeout=self._limits, follow_redirects=False, trust_env=False
            ) as client,
            client.stream("GET", address) as response,
        ):
            _check_head(response)
            content = bytearray()
            # As sent: what it claims of its length counts for nothing, and nothing is unpacked.
            async for part in response.aiter_raw():
                content += part
                if len(content) > METADATA_BYTES_MAX:
                    raise MetadataRefused(MetadataRule.TOO_LARGE, f"more than {METADATA_BYTES_MAX} bytes")
            return bytes(content)


def _check_head(response: httpx.Response) -> None:
    status = response.status_code
    if 300 <= status < 400:
        raise MetadataRefused(MetadataRule.REDIRECT, f"status {status}; the pinned address is the only one asked")
    if status != httpx.codes.OK:
        raise MetadataRefused(MetadataRule.STATUS, f"status {status}")
    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != CONTENT_TYPE:
        raise MetadataRefused(MetadataRule.CONTENT_TYPE, f"not {CONTENT_TYPE}")
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise MetadataRefused(MetadataRule.CONTENT_ENCODING, "the answer is compressed")


def _document(content: bytes) -> MetadataDocument:
    try:
        return parse_metadata(content)
    except MalformedMetadata as error:
        raise MetadataRefused(MetadataRule.MALFORMED, str(error)) from None


@contextmanager
def _refused(partner: PartnerApplication) -> Iterator[None]:
    """The driver's errors become ours here, by type. Those of the protocol repeat the answer, so they are cut off."""
    try:
        yield
    except (TimeoutError, httpx.TimeoutException):
        raise MetadataRefused(MetadataRule.TOO_SLOW, f"the answer of {partner.name} was not whole in time") from None
    except httpx.ProtocolError:
        raise MetadataRefused(
            MetadataRule.PROTOCOL, f"the answer of {partner.name} is not HTTP, or is not whole"
        ) from None
    except httpx.HTTPError as error:
        if _untrusted(error):
            raise MetadataRefused(
                MetadataRule.UNTRUSTED_HOST, f"the certificate of the host of {partner.name} is not trusted"
            ) from error
        raise MetadataRefused(
            MetadataRule.UNREACHABLE, f"no connection to {partner.name}: {type(error).__name__}"
        ) from error
    except httpx.InvalidURL:
        raise AddressRefused("the metadata address is no URL") from None


def _untrusted(error: BaseException) -> bool:
    """The driver raises the same type for every failed connection; why is in what it was raised from."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None
