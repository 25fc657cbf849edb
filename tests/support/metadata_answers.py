"""What a partner's metadata address may answer: what is taken of it, and by which rule the rest is refused."""

import gzip
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from consumers.tokens.metadata_rules import MetadataRule
from consumers.tokens.published_keys import thumbprint
from schemas.metadata import KEYS_MAX, METADATA_BYTES_MAX
from schemas.principals import EXCHANGE, LYNC, Principal
from tests.support.answering import Answer, http, unbounded
from tests.support.certificates import SelfSigned, content_of, key_document, metadata, rsa_key, self_signed
from tests.support.clock import START
from tests.support.trust import PARTNER

CANARY: Final = "canary"
"""In every answer, and in nothing that is said about it."""

SIGNER: Final = self_signed()
OTHER: Final = self_signed(rsa_key(number=2))
EXPIRED: Final = self_signed(rsa_key(number=2), ends=START.replace(year=START.year - 1, day=6))
COMING: Final = self_signed(rsa_key(number=2), begins=START.replace(day=6))


def served(*keys: dict[str, Any], **other: Any) -> Answer:
    """Return a document with these keys, or the signer's own."""
    return http(content_of(metadata(*(keys or (key_document(SIGNER),)), **{"name": CANARY, **other})))


def valued(value: bytes | str) -> dict[str, Any]:
    """Return the signer's key with another certificate."""
    text = value if isinstance(value, str) else b64encode(value).decode()
    return {**key_document(SIGNER), "keyvalue": {"type": "x509Certificate", "value": text}}


def signed_by(key: SelfSigned) -> Answer:
    """Return a document of that key."""
    return served(key_document(key))


def rewritten(before: str, after: str) -> Answer:
    """Return the signer's document with other bytes, in hex, in its certificate, and the thumbprint of that."""
    der = SIGNER.der.replace(bytes.fromhex(before), bytes.fromhex(after))
    return served({**valued(der), "keyinfo": {"x5t": thumbprint(der)}})


def twice(name: str, value: str) -> Answer:
    """Return a document that says one thing twice, the partner's own word last."""
    return http(content_of(metadata(key_document(SIGNER))).replace(b"{", f'{{"{name}": "{value}", '.encode(), 1))


GOOD: Final = content_of(metadata(key_document(SIGNER), name=CANARY))
BOMB: Final = gzip.compress(bytes(64 * 1024 * 1024), 9)
NESTED: Final = b"[" * 30_000 + b"]" * 30_000
SIGNER_X5T: Final = SIGNER.published.x5t

REFUSED: Final[dict[str, tuple[MetadataRule, Callable[[], Answer]]]] = {
    # not HTTP, or not whole
    "another protocol": (MetadataRule.PROTOCOL, lambda: Answer(f"SSH-2.0-{CANARY}\r\n".encode())),
    "no head": (MetadataRule.PROTOCOL, lambda: Answer(GOOD)),
    "no answer": (MetadataRule.PROTOCOL, lambda: Answer(b"")),
    "broken off": (MetadataRule.PROTOCOL, lambda: unbounded(GOOD[:-1], Content_Length=str(len(GOOD)))),
    "broken off chunk": (MetadataRule.PROTOCOL, lambda: unbounded(b"fff\r\n" + GOOD, Transfer_Encoding="chunked")),
    "bad chunk size": (MetadataRule.PROTOCOL, lambda: unbounded(b"-1\r\n" + GOOD, Transfer_Encoding="chunked")),
    "negative length": (MetadataRule.PROTOCOL, lambda: unbounded(GOOD, Content_Length="-1")),
    "two lengths": (MetadataRule.PROTOCOL, lambda: http(GOOD, content_length="1")),
    "compressed transfer": (MetadataRule.PROTOCOL, lambda: unbounded(BOMB, Transfer_Encoding="gzip, chunked")),
    "endless header": (MetadataRule.PROTOCOL, lambda: Answer(b"HTTP/1.1 200 OK\r\nX: ", CANARY.encode() * 999)),
    "endless headers": (MetadataRule.PROTOCOL, lambda: Answer(b"HTTP/1.1 200 OK\r\n", b"X: canary\r\n" * 999)),
    # statuses
    "300": (MetadataRule.REDIRECT, lambda: http(GOOD, "300 Multiple Choices")),
    "304": (MetadataRule.REDIRECT, lambda: Answer(b"HTTP/1.1 304 Not Modified\r\n\r\n")),
    "204": (MetadataRule.STATUS, lambda: Answer(b"HTTP/1.1 204 No Content\r\n\r\n")),
    "206": (MetadataRule.STATUS, lambda: http(GOOD, "206 Partial Content")),
    "401": (MetadataRule.STATUS, lambda: http(GOOD, "401 Unauthorized")),
    "404": (MetadataRule.STATUS, lambda: http(GOOD, "404 Not Found")),
    "500": (MetadataRule.STATUS, lambda: http(GOOD, "500 Internal Server Error")),
    "503": (MetadataRule.STATUS, lambda: http(GOOD, "503 Service Unavailable", Retry_After="1")),
    # heads
    "page": (MetadataRule.CONTENT_TYPE, lambda: http(GOOD, content_type="text/html")),
    "key set": (MetadataRule.CONTENT_TYPE, lambda: http(GOOD, content_type="application/jwk-set+json")),
    "no type": (MetadataRule.CONTENT_TYPE, lambda: http(GOOD, content_type="")),
    "two types": (MetadataRule.CONTENT_TYPE, lambda: http(GOOD, content_type="application/json, text/html")),
    "two type headers": (MetadataRule.CONTENT_TYPE, lambda: http(GOOD, content_Type="text/html")),
    "gzip": (MetadataRule.CONTENT_ENCODING, lambda: http(gzip.compress(GOOD), Content_Encoding="gzip")),
    "gzip bomb": (MetadataRule.CONTENT_ENCODING, lambda: http(BOMB, Content_Encoding="gzip")),
    "gzip in capitals": (MetadataRule.CONTENT_ENCODING, lambda: http(BOMB, Content_Encoding="X-GZIP")),
    "deflate": (MetadataRule.CONTENT_ENCODING, lambda: http(BOMB, Content_Encoding="deflate")),
    "gzip twice": (MetadataRule.CONTENT_ENCODING, lambda: http(BOMB, Content_Encoding="identity, gzip, gzip")),
    "unknown encoding": (MetadataRule.CONTENT_ENCODING, lambda: http(GOOD, Content_Encoding=CANARY)),
    # sizes
    "one byte too many": (MetadataRule.TOO_LARGE, lambda: http(GOOD.ljust(METADATA_BYTES_MAX + 1))),
    "endless": (MetadataRule.TOO_LARGE, lambda: unbounded(GOOD, b" " * 999)),
    "endless chunks": (
        MetadataRule.TOO_LARGE,
        lambda: unbounded(b"", b"6\r\ncanary\r\n" * 999, Transfer_Encoding="chunked"),
    ),
    "endless chunk": (
        MetadataRule.TOO_LARGE,
        lambda: unbounded(b"FFFFFFFFFFFF\r\n", b" " * 999, Transfer_Encoding="chunked"),
    ),
    "endless with a length": (MetadataRule.TOO_LARGE, lambda: unbounded(GOOD, b" " * 999, Content_Length="9" * 15)),
    # documents
    "empty": (MetadataRule.MALFORMED, lambda: http(b"")),
    "shorter than it is": (MetadataRule.MALFORMED, lambda: http(GOOD, Content_Length="9")),
    "not JSON": (MetadataRule.MALFORMED, lambda: http(f"<{CANARY}/>".encode())),
    "unzipped": (MetadataRule.MALFORMED, lambda: http(gzip.compress(GOOD))),
    "two documents": (MetadataRule.MALFORMED, lambda: http(GOOD + GOOD)),
    "list": (MetadataRule.MALFORMED, lambda: http(b"[" + GOOD + b"]")),
    "nested": (MetadataRule.MALFORMED, lambda: http(NESTED)),
    "nested in a field": (MetadataRule.MALFORMED, lambda: http(b'{"canary":' + NESTED + b"}")),
    "UTF-16": (MetadataRule.MALFORMED, lambda: http(GOOD.decode().encode("utf-16"))),
    "byte order mark": (MetadataRule.MALFORMED, lambda: http(b"\xef\xbb\xbf" + GOOD)),
    "key set document": (MetadataRule.MALFORMED, lambda: http(b'{"keys": [{"kty": "RSA", "n": "canary"}]}')),
    "no keys": (MetadataRule.MALFORMED, lambda: served(keys=[])),
    "too many keys": (MetadataRule.MALFORMED, lambda: served(*[key_document(SIGNER)] * (KEYS_MAX + 1))),
    "issuer twice": (MetadataRule.MALFORMED, lambda: twice("issuer", CANARY)),
    "issuer twice, by case": (MetadataRule.MALFORMED, lambda: twice("ISSUER", CANARY)),
    "issuer is a number": (MetadataRule.MALFORMED, lambda: served(issuer=4)),
    "issuer is a list": (MetadataRule.MALFORMED, lambda: served(issuer=[str(PARTNER.principal)])),
    "issuer is null": (MetadataRule.MALFORMED, lambda: served(issuer=None)),
    "key for encryption": (MetadataRule.MALFORMED, lambda: served({**key_document(SIGNER), "usage": "encryption"})),
    "thumbprint in hex": (MetadataRule.MALFORMED, lambda: served(key_document(SIGNER, x5t="0a" * 20))),
    "thumbprint is a path": (MetadataRule.MALFORMED, lambda: served(key_document(SIGNER, x5t="../" * 9))),
    "thumbprint with padding": (MetadataRule.MALFORMED, lambda: served(key_document(SIGNER, x5t=SIGNER_X5T + "="))),
    "not base64": (MetadataRule.MALFORMED, lambda: served(valued("-----BEGIN"))),
    # identities
    "another application": (MetadataRule.FOREIGN, lambda: served(serviceName=EXCHANGE)),
    "application in capitals": (MetadataRule.FOREIGN, lambda: served(serviceName=LYNC.upper())),
    "another issuer": (MetadataRule.FOREIGN, lambda: served(issuer=f"{LYNC}@{CANARY}.example")),
    "issuer in capitals": (MetadataRule.FOREIGN, lambda: served(issuer=str(PARTNER.principal).upper())),
    "issuer of any realm": (MetadataRule.FOREIGN, lambda: served(issuer=f"{LYNC}@*")),
    "issuer with a space": (MetadataRule.FOREIGN, lambda: served(issuer=f"{PARTNER.principal} ")),
    "another realm": (MetadataRule.FOREIGN, lambda: served(realm=f"{CANARY}.example")),
    "realm in capitals": (MetadataRule.FOREIGN, lambda: served(realm="CONTOSO.EXAMPLE")),
    "realm below": (MetadataRule.FOREIGN, lambda: served(realm="a.contoso.example")),
    "no realm": (MetadataRule.FOREIGN, lambda: served(realm="")),
    "another partner's document": (
        MetadataRule.FOREIGN,
        lambda: served(partner=replace(PARTNER, principal=Principal(EXCHANGE, "contoso.example"))),
    ),
    # keys
    "key twice": (MetadataRule.REPEATED_KEY, lambda: served(key_document(SIGNER), key_document(SIGNER))),
    "thumbprint twice": (MetadataRule.REPEATED_KEY, lambda: served(key_document(SIGNER), valued(OTHER.der))),
    "bad padding": (MetadataRule.MALFORMED_KEY, lambda: served(valued("YWJj="))),
    "no certificate": (MetadataRule.MALFORMED_KEY, lambda: served(valued(CANARY.encode()))),
    "cut certificate": (MetadataRule.MALFORMED_KEY, lambda: served(valued(SIGNER.der[:-1]))),
    "certificate and more": (MetadataRule.MALFORMED_KEY, lambda: served(valued(SIGNER.der + b"\0"))),
    "version 6": (MetadataRule.MALFORMED_KEY, lambda: rewritten("a003020102", "a003020105")),
    "unknown kind of key": (MetadataRule.MALFORMED_KEY, lambda: rewritten("2a864886f70d010101", "2a864886f70d01017f")),
    "public key alone": (MetadataRule.MALFORMED_KEY, lambda: served(valued(public_der()))),
    "certificate of another": (MetadataRule.FORGED_KEY, lambda: served(valued(OTHER.der))),
    "thumbprint of another": (MetadataRule.FORGED_KEY, lambda: served(key_document(OTHER, x5t=SIGNER_X5T))),
    "one of two forged": (
        MetadataRule.FORGED_KEY,
        lambda: served(key_document(SIGNER), key_document(OTHER, x5t="A" * 27)),
    ),
    "expired and forged": (
        MetadataRule.FORGED_KEY,
        lambda: served(key_document(SIGNER), key_document(EXPIRED, x5t="A" * 27)),
    ),
    "1024 bits": (MetadataRule.WEAK_KEY, lambda: signed_by(self_signed(rsa_key(1024)))),
    "2040 bits": (MetadataRule.WEAK_KEY, lambda: signed_by(self_signed(rsa_key(2040)))),
    "one of two weak": (
        MetadataRule.WEAK_KEY,
        lambda: served(key_document(SIGNER), key_document(self_signed(rsa_key(1024)))),
    ),
    "exponent 3": (MetadataRule.WEAK_KEY, lambda: signed_by(self_signed(rsa_key(exponent=3)))),
    "even exponent": (MetadataRule.MALFORMED_KEY, lambda: rewritten("0203010001", "0203010000")),
    "elliptic curve": (
        MetadataRule.WEAK_KEY,
        lambda: signed_by(self_signed(ec.generate_private_key(ec.SECP256R1()))),
    ),
    "expired": (MetadataRule.NO_KEY, lambda: signed_by(EXPIRED)),
    "not yet valid": (MetadataRule.NO_KEY, lambda: signed_by(COMING)),
}
"""What the partner's address answers, and the rule that it is refused by."""

SLOW: Final = {
    "silence": Answer(b"", ends=False),
    "half a line": Answer(b"HTTP/1.1 200", ends=False),
    "head alone": unbounded(ends=False),
    "all but the end": unbounded(GOOD, ends=False),
    "all but the last chunk": unbounded(b"6\r\ncanary\r\n", ends=False, Transfer_Encoding="chunked"),
    "go on, for ever": Answer(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "early hints, for ever": Answer(b"", b"HTTP/1.1 103 Early Hints\r\nLink: canary\r\n\r\n"),
}
"""What never comes to an end."""

TAKEN: Final[dict[str, Callable[[], Answer]]] = {
    "plain": served,
    "of any realm": lambda: served(realm="*"),
    "keyValue": lambda: served({key.replace("v", "V"): part for key, part in key_document(SIGNER).items()}),
    "keys in capitals": lambda: http(content_of(upper(metadata(key_document(SIGNER))))),
    "more fields": lambda: served({**key_document(SIGNER), "kid": CANARY}, extensions={CANARY: [1]}),
    "with a charset": lambda: http(GOOD, content_type="application/json; charset=utf-8"),
    "type in capitals": lambda: http(GOOD, content_type="Application/JSON"),
    "named as it is": lambda: http(GOOD, Content_Encoding="identity"),
    "largest": lambda: http(GOOD.ljust(METADATA_BYTES_MAX)),
    "length not told": lambda: unbounded(GOOD),
    "chunks": lambda: unbounded(f"{len(GOOD):x}\r\n".encode() + GOOD + b"\r\n0\r\n\r\n", Transfer_Encoding="chunked"),
    "hint first": lambda: Answer(b"HTTP/1.1 103 Early Hints\r\n\r\n" + http(GOOD).begin),
    "an old key": lambda: served(key_document(EXPIRED), key_document(SIGNER)),
    "a key to come": lambda: served(key_document(SIGNER), key_document(COMING)),
    "an old weak key": lambda: served(
        key_document(SIGNER), key_document(self_signed(rsa_key(1024), ends=START.replace(year=START.year - 1, day=6)))
    ),
}
"""What the partner's address answers where the signer's key is to come of it, and no other."""


def upper(part: Any) -> Any:
    """Return the document with its keys in capitals."""
    if isinstance(part, list):
        return [upper(each) for each in part]
    return {key.upper(): upper(each) for key, each in part.items()} if isinstance(part, dict) else part


def public_der() -> bytes:
    """Return the signer's public key, which is no certificate."""
    return SIGNER.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
