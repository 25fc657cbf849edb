"""Published certificates that are changed by bytes: each is a key, is passed over, or is refused by a name."""

import json
from base64 import b64encode
from random import Random
from typing import Final

import pytest

from consumers.tokens.partner import PartnerKey
from consumers.tokens.published_keys import MetadataRefused, MetadataRule, published_keys
from schemas.metadata import parse_metadata
from schemas.principals import LYNC, Principal
from tests.support.tokens import LYNC_ID, NOW, REALM, certificate, partner, partner_key, thumbprint

RSA_OID: Final = bytes.fromhex("2a864886f70d010101")
UNKNOWN_KIND: Final = (RSA_OID, RSA_OID[:-1] + b"\x7f")
UNKNOWN_VERSION: Final = (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09")


def _keys(der: bytes) -> tuple[PartnerKey, ...]:
    """Return what a document of Lync that publishes this certificate, under its own thumbprint, publishes."""
    key = {"keyinfo": {"x5t": thumbprint(der)}, "keyvalue": {"value": b64encode(der).decode()}}
    names = {"id": "_1", "name": "Lync", "realm": REALM, "serviceName": LYNC, "issuer": LYNC_ID}
    document = parse_metadata(json.dumps({**names, "keys": [key]}).encode())
    return published_keys(document, partner("lync", Principal(LYNC, REALM)), NOW)


def test_a_good_certificate_is_a_key() -> None:
    """What the forged ones are made from is good."""
    assert _keys(certificate("lync")) == (partner_key(certificate("lync")),)


@pytest.mark.parametrize("change", [UNKNOWN_KIND, UNKNOWN_VERSION], ids=["kind", "version"])
def test_a_certificate_that_nobody_can_read_is_refused(change: tuple[bytes, bytes]) -> None:
    """A key of an unknown kind, and a version that X.509 does not have, are refused as forged."""
    with pytest.raises(MetadataRefused) as caught:
        _keys(certificate("lync").replace(*change, 1))
    assert caught.value.rule is MetadataRule.FORGED_KEY


# A changed serial number may be zero or negative, which the library warns of.
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_no_bytes_make_reading_a_certificate_fail() -> None:
    """Two thousand certificates, each with up to three bytes changed: a key, or a refusal by name, and nothing else."""
    rng, refused = Random(2013), 0
    for _ in range(2_000):
        der = bytearray(certificate("lync"))
        for _ in range(rng.randint(1, 3)):
            der[rng.randrange(len(der) if rng.random() < 0.3 else 160)] = rng.randrange(256)
        try:
            _keys(bytes(der))
        except MetadataRefused:
            refused += 1
    assert refused > 0
