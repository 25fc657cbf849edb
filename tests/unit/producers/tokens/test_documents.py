"""What the issuer publishes is what partners and Kafka read."""

import json
from base64 import b64encode, urlsafe_b64decode
from datetime import timedelta
from typing import Final

from producers.tokens.documents import jwks, metadata
from producers.tokens.keyring import Keys
from schemas.metadata import METADATA_BYTES_MAX, parse_metadata
from schemas.principals import LYNC, Principal
from tests.support.clock import START
from tests.support.signing import REALM, signing_key

LOCATION: Final = "https://lync.contoso.example/metadata/json/1"
PRINCIPAL: Final = Principal(LYNC, REALM)
THREE: Final = (
    Keys(signing_key(0)).rolled(signing_key(1), START).at(START).rolled(signing_key(2), START + timedelta(days=1))
)
"""Current, next and previous."""


def test_the_metadata_document_is_to_the_letter() -> None:
    """Members, their spelling and their order are the sample's; current, next and previous key are there."""
    document = metadata(PRINCIPAL, "Lync", LOCATION, THREE).model_dump()
    principal = "00000004-0000-0ff1-ce00-000000000000@contoso.example"
    assert document.pop("id").startswith("_")
    assert list(document) == [
        "version", "name", "realm", "serviceName", "issuer", "allowedAudiences", "keys", "endpoints",
    ]  # fmt: skip
    assert json.loads(json.dumps(document)) == {
        "version": "1.0",
        "name": "Lync",
        "realm": REALM,
        "serviceName": "00000004-0000-0ff1-ce00-000000000000",
        "issuer": principal,
        "allowedAudiences": [principal],
        "keys": [
            {
                "usage": "signing",
                "keyinfo": {"x5t": key.x5t},
                "keyvalue": {"type": "x509Certificate", "value": b64encode(key.certificate).decode()},
            }
            for key in map(signing_key, (1, 2, 0))
        ],
        "endpoints": [{"location": LOCATION, "protocol": "OAuth2", "usage": "metadata"}],
    }


def test_a_partner_can_read_the_document() -> None:
    """It comes back the same from its bytes, which are far below the limit."""
    document = metadata(PRINCIPAL, "Lync", LOCATION, THREE)
    content = document.model_dump_json().encode()
    assert parse_metadata(content) == document
    assert len(content) < METADATA_BYTES_MAX / 8


def test_the_document_has_one_id() -> None:
    """It is the same in every process and after every roll-over, and another one elsewhere."""
    ids = {metadata(PRINCIPAL, "Lync", LOCATION, keys).id for keys in (THREE, Keys(signing_key(0)))}
    assert len(ids) == 1
    assert metadata(PRINCIPAL, "Lync", "https://other.example", THREE).id not in ids


def test_the_jwks_has_the_public_keys_and_nothing_private() -> None:
    """Each key by its thumbprint, its numbers in the fewest bytes (RFC 7517, section 4; RFC 7518, section 6.3.1)."""
    document = jwks(THREE)
    assert list(document) == ["keys"]
    for entry, key in zip(document["keys"], map(signing_key, (1, 2, 0)), strict=True):
        numbers = key.private.public_key().public_numbers()
        assert {name: entry[name] for name in entry if name != "n"} == {
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.x5t, "x5t": key.x5t, "e": "AQAB",
        }  # fmt: skip
        modulus = urlsafe_b64decode(entry["n"] + "==")
        assert (int.from_bytes(modulus), len(modulus)) == (numbers.n, 256)
