"""Tokens made by hand, so that broken ones can be made too, and the world that judges them.

Nothing here uses the project's own issuer or a JOSE library. Keys and certificates are made once a session.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from consumers.grant import ARCHIVE_ROLE
from consumers.tokens.auth_config import AuthConfig
from consumers.tokens.partner import PartnerApplication, PartnerKey, TrustLevel
from consumers.tokens.verifier import AcceptedToken, verify
from schemas.principals import EXCHANGE, LYNC, SHAREPOINT, Audience, Principal
from tests.support.clock import START

NOW: Final = START
SECONDS: Final = int(NOW.timestamp())
REALM: Final = "contoso.example"
HOST: Final = "mail.contoso.example"
AUDIENCE: Final = str(Audience(EXCHANGE, HOST, REALM))
LYNC_ID: Final = str(Principal(LYNC, REALM))
SHAREPOINT_ID: Final = str(Principal(SHAREPOINT, REALM))
FABRIKAM_ID: Final = str(Principal(LYNC, "fabrikam.example"))
ALICE: Final = "alice@contoso.example"
SID: Final = "s-1-5-21-1004336348-1177238915-682003330-512"
DIRECTORY: Final = "urn:office:idp:activedirectory"
ROLES: Final = frozenset({ARCHIVE_ROLE, "UserApplication"})
USERS: Final = {ALICE: frozenset({ARCHIVE_ROLE}), SID: frozenset({ARCHIVE_ROLE})}
ABSENT: Final = object()
"""In place of a value: leave the member out."""

Members = Mapping[str, Any]
Part = Members | bytes
"""An object, or the very bytes that stand in its place."""

NONE: Final[Members] = {}


@dataclass(frozen=True, slots=True)
class World:
    """Who judges, whom it trusts, and when."""

    partners: tuple[PartnerApplication, ...]
    config: AuthConfig
    now: datetime = NOW

    def judge(self, text: str) -> AcceptedToken:
        """Return what the token opens. Raises TokenRefused."""
        return verify(text, config=self.config, partners=self.partners, user_roles=roles_of, now=self.now)


def roles_of(user: str) -> frozenset[str]:
    """Return the roles of the two users that this world knows."""
    return USERS.get(user, frozenset())


def private_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return the key of that name, always the same within a session."""
    return _generated(name, bits)


@cache
def certificate(name: str, bits: int = 2048, begins_h: int = -24, ends_h: int = 24 * 365) -> bytes:
    """Return a certificate (DER) of the key of that name, good from and to these hours from now."""
    key = private_key(name, bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, REALM)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 7)
    builder = builder.not_valid_before(NOW + timedelta(hours=begins_h)).not_valid_after(NOW + timedelta(hours=ends_h))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def thumbprint(der: bytes) -> str:
    """Return the certificate's x5t: base64url of its SHA-1."""
    return encode(hashlib.sha1(der, usedforsecurity=False).digest())


def partner_key(der: bytes) -> PartnerKey:
    """Return the key as a partner's metadata would tell of it."""
    return PartnerKey(thumbprint(der), der)


def partner(name: str, principal: Principal, *certificates: bytes, **changes: Any) -> PartnerApplication:
    """Return a partner that is fully trusted and signs with these certificates."""
    keys = tuple(partner_key(der) for der in certificates)
    trusted = PartnerApplication(name, principal, "http://127.0.0.1/", TrustLevel.FULL, ROLES, keys=keys)
    return replace(trusted, **changes)


@cache
def world() -> World:
    """Return the usual world: Lync with a current and a previous key, SharePoint, and another realm's Lync."""
    lync = partner("lync", Principal(LYNC, REALM), certificate("lync"), certificate("previous"))
    sharepoint = partner("sp", Principal(SHAREPOINT, REALM), certificate("sharepoint"))
    fabrikam = partner("fab", Principal(LYNC, "fabrikam.example"), certificate("fabrikam"))
    return World((fabrikam, sharepoint, lync), AuthConfig(REALM, frozenset({HOST, "edge.contoso.example"})))


def lync_world(*certificates: bytes, **changes: Any) -> World:
    """Return a world whose only partner is Lync, changed so; without certificates it has the usual one."""
    usual = certificates or (certificate("lync"),)
    return replace(world(), partners=(partner("lync", Principal(LYNC, REALM), *usual, **changes),))


def configured(**changes: Any) -> World:
    """Return the usual world, configured otherwise."""
    return replace(world(), config=replace(world().config, **changes))


def encode(octets: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def raw(header: Part, claims: Part, signature: bytes = b"") -> str:
    """Put a token together of any parts."""
    return ".".join((_part(header), _part(claims), encode(signature)))


def signed(header: Part, claims: Part, signer: str = "lync", bits: int = 2048) -> str:
    """Put a token together of any parts, with a good RS256 signature by the key of that name."""
    return sign(f"{_part(header)}.{_part(claims)}", signer, bits)


def sign(text: str, signer: str = "lync", bits: int = 2048) -> str:
    """Sign any text as if it were a token's first two parts."""
    signature = private_key(signer, bits).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{encode(signature)}"


def app_header(changes: Members = NONE, signer: str = "lync") -> dict[str, Any]:
    """Return the samples' header of a signed token, changed so."""
    return _changed({"typ": "JWT", "alg": "RS256", "x5t": thumbprint(certificate(signer))}, changes)


def app_claims(changes: Members = NONE, name: str = LYNC_ID) -> dict[str, Any]:
    """Return the samples' claims of an app-only token, changed so."""
    life = {"nbf": str(SECONDS), "exp": str(SECONDS + 3600)}
    return _changed({"aud": AUDIENCE, "iss": name, "nameid": name, **life}, changes)


def app(claims: Members = NONE, header: Members = NONE, signer: str = "lync") -> str:
    """Return an app-only token, changed so and then signed."""
    return signed(app_header(header, signer), app_claims(claims), signer)


def actor(claims: Members = NONE, header: Members = NONE, signer: str = "lync") -> str:
    """Return an actor token, changed so and then signed."""
    return app({"trustedfordelegation": "true", **claims}, header, signer)


def user_claims(changes: Members = NONE, inner: str | None = None) -> dict[str, Any]:
    """Return the samples' claims of an outer token, changed so."""
    life = {"nbf": str(SECONDS), "exp": str(SECONDS + 3600)}
    names = {"nameid": ALICE, "nii": DIRECTORY}
    usual = {"aud": AUDIENCE, "iss": LYNC_ID, **life, **names, "actortoken": actor() if inner is None else inner}
    return _changed(usual, changes)


def user(claims: Members = NONE, header: Members = NONE, inner: str | None = None) -> str:
    """Return a user token: an unsigned outer token, changed so, around an actor token."""
    return raw(_changed({"typ": "JWT", "alg": "none"}, header), user_claims(claims, inner))


def sharepoint_app(claims: Members = NONE) -> str:
    """Return an app-only token of SharePoint."""
    return app({"iss": SHAREPOINT_ID, "nameid": SHAREPOINT_ID, **claims}, signer="sharepoint")


def sharepoint_user(claims: Members = NONE, inner: Members = NONE) -> str:
    """Return a user token of SharePoint, which names the user by SID."""
    signed_part = sharepoint_app({"trustedfordelegation": "true", **inner})
    return user({"iss": SHAREPOINT_ID, "nameid": SID, **claims}, inner=signed_part)


@cache
def _generated(_: str, bits: int) -> rsa.RSAPrivateKey:
    """Make a key once. `cache` takes an argument and its default for two, so there is no default here."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _part(part: Part) -> str:
    return encode(part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode())


def _changed(usual: Members, changes: Members) -> dict[str, Any]:
    return {name: value for name, value in {**usual, **changes}.items() if value is not ABSENT}
