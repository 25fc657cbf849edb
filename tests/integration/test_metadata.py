"""Partners' metadata over real connections: what is taken, and by which rule the rest is refused."""

import json
import ssl
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives import serialization

from consumers.tokens.http_metadata import HttpMetadata
from consumers.tokens.metadata_rules import AddressRefused, MetadataRefused, MetadataRule
from consumers.tokens.partner import PartnerKey
from schemas.metadata import METADATA_BYTES_MAX
from tests.support.answering import answering, http
from tests.support.certificates import SelfSigned, rsa_key, self_signed
from tests.support.clock import START, ManualClock
from tests.support.metadata_answers import CANARY, GOOD, OTHER, REFUSED, SIGNER, SLOW, TAKEN, served, signed_by
from tests.support.trust import PARTNER

SHORT_S: Final = 0.3
"""The limit for what never ends."""

LONG_S: Final = 30.0
"""The limit for all else, so that a busy machine fails no test."""


async def fetch(port: int, timeout_s: float = LONG_S) -> tuple[PartnerKey, ...]:
    """Fetch from a server of this test."""
    partner = replace(PARTNER, metadata_url=f"http://127.0.0.1:{port}/metadata/json/1")
    return await HttpMetadata(ManualClock(), timeout_s).fetch(partner)


async def refusal(port: int, timeout_s: float = LONG_S) -> MetadataRule:
    """Return the rule that the answer is refused by; what is said of it says nothing that it says."""
    with pytest.raises(MetadataRefused) as refused:
        await fetch(port, timeout_s)
    assert str(refused.value).startswith(f"{refused.value.rule}: ")
    assert CANARY not in "".join(traceback.format_exception(refused.value))
    return refused.value.rule


@pytest.mark.parametrize("case", TAKEN)
async def test_documents_that_are_the_partners_are_taken(case: str) -> None:
    """The signer's key comes back, whatever else the document tells of."""
    async with answering(TAKEN[case]()) as server:
        assert await fetch(server.port) == (SIGNER.published,)
        assert server.connections == 1


@pytest.mark.parametrize("case", REFUSED)
async def test_other_answers_are_refused_by_the_rule_they_break(case: str) -> None:
    """One request is made, and the refusal names the rule."""
    rule, answer = REFUSED[case]
    async with answering(answer()) as server:
        assert await refusal(server.port) is rule
        assert server.connections == 1


@pytest.mark.parametrize("case", SLOW)
async def test_answers_that_do_not_end_are_given_up(case: str) -> None:
    """The limit is on the whole, however much comes within it."""
    async with answering(SLOW[case]) as server:
        assert await refusal(server.port, SHORT_S) is MetadataRule.TOO_SLOW


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_redirections_are_not_followed(status: str) -> None:
    """The server that the answer points at is not even connected to."""
    async with answering(served()) as elsewhere:
        location = f"http://127.0.0.1:{elsewhere.port}/metadata/json/1"
        async with answering(http(GOOD, status, Location=location)) as server:
            assert await refusal(server.port) is MetadataRule.REDIRECT
            assert server.connections == 1
        assert elsewhere.connections == 0


async def test_endpoints_in_the_document_are_not_followed() -> None:
    """A document may tell any address; its keys are taken, and the address is not asked."""
    async with answering(signed_by(OTHER)) as elsewhere:
        location = f"http://127.0.0.1:{elsewhere.port}/metadata/json/1"
        endpoints = [{"location": location, "protocol": "OAuth2", "usage": usage} for usage in ("metadata", "issuance")]
        async with answering(served(endpoints=endpoints)) as server:
            assert await fetch(server.port) == (SIGNER.published,)
            assert server.connections == 1
        assert elsewhere.connections == 0


async def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy of the environment is asked, and no credentials of it are sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login someone password {CANARY}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    async with answering(signed_by(OTHER)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with answering(served()) as server:
            assert await fetch(server.port) == (SIGNER.published,)
            [request] = server.requests
        assert proxy.connections == 0
    assert request.startswith(b"GET /metadata/json/1 HTTP/1.1\r\n")
    assert b"\r\naccept-encoding: identity\r\n" in request.lower()
    assert b"authorization" not in request.lower()


async def test_plain_http_leaves_the_machine_never() -> None:
    """An http address of another host is the operator's mistake, and is not connected to.

    0.0.0.0 is no loopback address, and yet leads here.
    """
    async with answering(served()) as server:
        for host in ("0.0.0.0", "lync.contoso.example"):  # noqa: S104 - nothing is bound to it
            with pytest.raises(AddressRefused, match="not https"):
                await HttpMetadata(ManualClock()).fetch(
                    replace(PARTNER, metadata_url=f"http://{host}:{server.port}/metadata/json/1")
                )
        assert server.connections == 0


async def test_nobody_there() -> None:
    """A host that takes no connections is unreachable."""
    async with answering(served()) as server:
        pass
    assert await refusal(server.port) is MetadataRule.UNREACHABLE


def server_tls(folder: Path, signer: SelfSigned) -> ssl.SSLContext:
    """Return what a server needs to prove that it is 127.0.0.1."""
    chain = folder / "server.pem"
    chain.touch(mode=0o600)
    private = signer.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(private + signer.certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def client_tls(*trusted: SelfSigned) -> ssl.SSLContext:
    """Return trust in these and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for signer in trusted:
        context.load_verify_locations(cadata=signer.certificate.public_bytes(serialization.Encoding.PEM).decode())
    return context


async def test_https_hosts_prove_who_they_are(tmp_path: Path) -> None:
    """A document is taken over https from the pinned host only; another's certificate, or another name, is refused."""
    # The certificate has to be good on the machine's own clock, which TLS goes by.
    host = self_signed(rsa_key(number=3), ends=START.replace(year=START.year + 50))
    async with answering(served(), server_tls(tmp_path, host)) as server:
        here = replace(PARTNER, metadata_url=f"https://127.0.0.1:{server.port}/metadata/json/1")
        named = replace(PARTNER, metadata_url=f"https://localhost:{server.port}/metadata/json/1")
        trusting = HttpMetadata(ManualClock(), LONG_S, client_tls(host))
        assert await trusting.fetch(here) == (SIGNER.published,)
        by_default = HttpMetadata(ManualClock(), LONG_S)
        for source, partner in ((by_default, here), (trusting, named)):
            with pytest.raises(MetadataRefused) as refused:
                await source.fetch(partner)
            assert refused.value.rule is MetadataRule.UNTRUSTED_HOST
        assert len(server.requests) == 1


async def test_https_is_not_given_up_for_http() -> None:
    """A host that does not speak TLS is unreachable by https."""
    async with answering(served()) as server:
        partner = replace(PARTNER, metadata_url=f"https://127.0.0.1:{server.port}/metadata/json/1")
        with pytest.raises(MetadataRefused) as refused:
            await HttpMetadata(ManualClock(), SHORT_S).fetch(partner)
        assert refused.value.rule in {MetadataRule.UNREACHABLE, MetadataRule.TOO_SLOW}
        assert server.requests == []


def test_the_good_document_is_small() -> None:
    """The cases above are about what they name, not about size."""
    assert len(GOOD) < METADATA_BYTES_MAX
    assert json.loads(GOOD)["name"] == CANARY
