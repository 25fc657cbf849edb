"""The authentication metadata document, which a partner publishes and the other side reads (domain reference, 5.5).

It is all that issuing and checking tokens share. Written to the letter; read whatever the case of its keys, since the
sources write both `keyvalue` and `keyValue` (0.1, no. 7).
"""

import json
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from schemas.errors import Cause, LyncArchiverError, MalformedRecord
from schemas.json_text import parse_object
from schemas.principals import PRINCIPAL_CHARS_MAX

METADATA_BYTES_MAX: Final = 64 * 1024
"""A document with three certificates of 4096-bit keys is below 8 KiB."""

KEYS_MAX: Final = 8
"""Previous, current and next are three; the rest is room for other products."""

Short = Annotated[str, StringConstraints(max_length=PRINCIPAL_CHARS_MAX)]
Location = Annotated[str, StringConstraints(max_length=2048)]
Certificate = Annotated[str, StringConstraints(max_length=16 * 1024, pattern=r"^[0-9A-Za-z+/]+={0,2}$")]


class MalformedMetadata(LyncArchiverError):
    """A partner's metadata document cannot be used; the message repeats nothing of it."""


class _Part(BaseModel):
    """Immutable, strict; other products' additional fields are passed over."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class KeyInfo(_Part):
    """Which key: the certificate's SHA-1 thumbprint, base64url."""

    x5t: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{27}$")]


class KeyValue(_Part):
    """The key: a certificate, DER in base64."""

    type: Literal["x509Certificate"] = "x509Certificate"
    value: Certificate


class Key(_Part):
    """One signing key."""

    usage: Literal["signing"] = "signing"
    keyinfo: KeyInfo
    keyvalue: KeyValue


class Endpoint(_Part):
    """An address that the document tells of. Reading a document never follows one."""

    location: Location
    protocol: Short = "OAuth2"
    usage: Short = "metadata"


class MetadataDocument(_Part):
    """Who the partner is, and the keys that it signs with."""

    id: Short
    version: Short = "1.0"
    name: Short
    realm: Short
    serviceName: Short  # noqa: N815 - the document's own spelling, as below
    issuer: Short
    allowedAudiences: Annotated[tuple[Short, ...], Field(max_length=8)] = ()  # noqa: N815
    keys: Annotated[tuple[Key, ...], Field(min_length=1, max_length=KEYS_MAX)]
    endpoints: Annotated[tuple[Endpoint, ...], Field(max_length=16)] = ()


def parse_metadata(content: bytes) -> MetadataDocument:
    """Return the document. Raises MalformedMetadata for any other bytes, too many of them included."""
    if len(content) > METADATA_BYTES_MAX:
        raise MalformedMetadata(f"the metadata document has more than {METADATA_BYTES_MAX} bytes")
    try:
        return MetadataDocument.model_validate_json(json.dumps(_folded(parse_object(content))))
    except MalformedRecord as error:
        twice = error.cause is Cause.DUPLICATE_KEYS
        raise MalformedMetadata(f"the metadata document {'names a key twice' if twice else 'is not JSON'}") from None
    except RecursionError:
        raise MalformedMetadata("the metadata document is nested too deeply") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise MalformedMetadata(f"the metadata document does not fit: {_place(first['loc'])}") from None


def _folded(value: Any) -> Any:
    """Write every key that is one of ours but for its case as ours; two that become the same are one key twice."""
    if isinstance(value, list):
        return [_folded(part) for part in value]
    if not isinstance(value, dict):
        return value
    folded = {_NAMES.get(key.lower(), key): _folded(part) for key, part in value.items()}
    if len(folded) != len(value):
        raise MalformedRecord(Cause.DUPLICATE_KEYS, "a key stands twice")
    return folded


def _place(location: tuple[int | str, ...]) -> str:
    """Name the field by our own names only."""
    known = _NAMES.values()
    return ".".join(str(part) for part in location if isinstance(part, int) or part in known) or "the document"


_MODELS: Final[tuple[type[BaseModel], ...]] = (MetadataDocument, Key, KeyInfo, KeyValue, Endpoint)
_NAMES: Final = {name.lower(): name for model in _MODELS for name in model.model_fields}
