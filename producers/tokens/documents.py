"""What the issuer publishes: its metadata document (domain reference, section 5.5) and its JWKS (RFC 7517)."""

import uuid
from base64 import b64encode, urlsafe_b64encode
from typing import Any

from producers.tokens.certificate import SigningKey
from producers.tokens.keyring import Keys
from schemas.metadata import Endpoint, Key, KeyInfo, KeyValue, MetadataDocument
from schemas.principals import Principal


def metadata(principal: Principal, name: str, location: str, keys: Keys) -> MetadataDocument:
    """Return the document of an application whose metadata is at `location`; its id is the same for the same place."""
    return MetadataDocument(
        id=f"_{uuid.uuid5(uuid.NAMESPACE_URL, f'{principal} {location}')}",
        name=name,
        realm=principal.realm,
        serviceName=principal.application,
        issuer=str(principal),
        allowedAudiences=(str(principal),),
        keys=tuple(
            Key(keyinfo=KeyInfo(x5t=key.x5t), keyvalue=KeyValue(value=b64encode(key.certificate).decode()))
            for key in keys.published
        ),
        endpoints=(Endpoint(location=location),),
    )


def jwks(keys: Keys) -> dict[str, Any]:
    """Return all published keys as a JWK set; `kid` is the thumbprint, as in the header of access tokens."""
    return {"keys": [_jwk(key) for key in keys.published]}


def _jwk(key: SigningKey) -> dict[str, str]:
    numbers = key.private.public_key().public_numbers()
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": key.x5t,
        "x5t": key.x5t,
        "n": _number(numbers.n),
        "e": _number(numbers.e),
    }


def _number(value: int) -> str:
    """Return a number as base64url of its bytes, the fewest that hold it (RFC 7518, section 2)."""
    return urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()
