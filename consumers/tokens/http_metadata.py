"""The door to partners' metadata over HTTP: one pinned address, one request, and a bound on everything."""

import asyncio
import ipaddress
from typing import Final

import httpx

from consumers.tokens.partner import PartnerApplication, PartnerKey
from consumers.tokens.published_keys import MetadataRefused, MetadataRule, published_keys
from schemas.clock import Clock
from schemas.errors import DependencyUnavailable, Misconfigured
from schemas.metadata import METADATA_BYTES_MAX, MalformedMetadata, parse_metadata

TIMEOUT_S: Final = 5.0
"""The whole of it, from name to last byte: a document is a few kilobytes from a server of the same organisation."""


class HttpMetadata:
    """The `MetadataSource` over HTTPS; plain HTTP is for loopback. Follows no redirect, proxy, or address it reads."""

    def __init__(self, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        self._clock = clock
        self._timeout_s = timeout_s

    async def fetch(self, partner: PartnerApplication) -> tuple[PartnerKey, ...]:
        url = _address(partner)
        try:
            async with asyncio.timeout(self._timeout_s):
                content = await _get(url, self._timeout_s)
        except (httpx.HTTPError, TimeoutError) as error:
            raise DependencyUnavailable(
                f"the metadata of {partner.name} cannot be had: {type(error).__name__}"
            ) from error
        try:
            document = parse_metadata(content)
        except MalformedMetadata as error:
            raise MetadataRefused(MetadataRule.MALFORMED, str(error)) from error
        return published_keys(document, partner, self._clock.now())


def _address(partner: PartnerApplication) -> httpx.URL:
    """Return the partner's address. Raises Misconfigured where anybody on the way could change what it answers."""
    try:
        url = httpx.URL(partner.metadata_url)
    except httpx.InvalidURL as error:
        raise Misconfigured(f"the metadata address of {partner.name} is no URL") from error
    if not url.host or url.userinfo or not (url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host))):
        raise Misconfigured(f"{MetadataRule.ADDRESS}: the metadata address of {partner.name} is not an https URL")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _get(url: httpx.URL, timeout_s: float) -> bytes:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    client = httpx.AsyncClient(timeout=timeout_s, follow_redirects=False, trust_env=False)
    async with client, client.stream("GET", url, headers=headers) as answer:
        if answer.is_redirect:
            raise MetadataRefused(MetadataRule.REDIRECT, "the address answers with another address")
        if answer.status_code != 200:
            raise MetadataRefused(MetadataRule.STATUS, f"the address answers with status {answer.status_code}")
        kind = answer.headers.get("content-type", "").split(";", 1)[0].strip().lower()
        if kind != "application/json" or answer.headers.get("content-encoding", "identity") != "identity":
            raise MetadataRefused(MetadataRule.CONTENT_TYPE, "the address does not answer with plain JSON")
        content = bytearray()
        async for chunk in answer.aiter_raw():
            content += chunk
            if len(content) > METADATA_BYTES_MAX:
                raise MetadataRefused(MetadataRule.TOO_LARGE, f"the document has more than {METADATA_BYTES_MAX} bytes")
        return bytes(content)
