"""A token issuer for tests: a key made at run time, its JWKS over HTTP, and any token that a test wants."""

import base64
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from producers.tokens.keyring import Keyring
from producers.tokens.service import JWKS_PATH
from schemas.clock import Clock, SystemClock
from schemas.errors import LyncArchiverError
from schemas.login import KAFKA_AUDIENCE, KafkaLogin
from schemas.principals import LYNC, Principal

REALM: Final = "contoso.example"
KID: Final = "test-key"


def new_key() -> rsa.RSAPrivateKey:
    """Return a new private key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(slots=True)
class Issuer:
    """Signs what it is asked to; `jwks_url` is known while it serves."""

    clock: Clock = field(default_factory=SystemClock)
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {KID: new_key()})
    jwks_url: str = ""
    name: str = str(Principal(LYNC, REALM))

    def claims(self, client: str, life_s: float = 3600) -> dict[str, Any]:
        """Return the claims of a good token for Kafka."""
        now = self.clock.now().timestamp()
        return {
            "iss": self.name,
            "aud": KAFKA_AUDIENCE,
            "sub": client,
            "nameid": client,
            "client_id": client,
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now + life_s),
            "jti": uuid.uuid4().hex,
        }

    @property
    def kid(self) -> str:
        """The id of the key that signs unless another is asked for."""
        return next(iter(self.keys))

    def signed(self, claims: dict[str, Any], kid: str | None = None) -> str:
        """Return a token of these claims by the issuer's key of that id."""
        kid = kid or self.kid
        return jwt.encode(claims, self.keys[kid], algorithm="RS256", headers={"typ": "at+jwt", "kid": kid})

    def login(self, client: str, life_s: float = 3600) -> KafkaLogin:
        """Return the login of a client whose tokens live so long."""
        return KafkaLogin(client, Tokens(self, client, life_s))

    def jwks(self) -> bytes:
        """Return the document with the public keys (RFC 7517)."""
        return json.dumps({"keys": [_jwk(kid, key) for kid, key in self.keys.items()]}).encode()


@dataclass(slots=True)
class Tokens:
    """A client's tokens, a new one each time; `error` makes asking fail, `forged` is given instead of a good one."""

    issuer: Issuer
    client: str
    life_s: float = 3600
    given: int = 0
    error: LyncArchiverError | None = None
    forged: str | None = None
    forgeries: int = 0

    def discard(self, audience: str) -> None:
        """Nothing is kept."""

    async def token(self, audience: str) -> str:
        if self.error is not None:
            raise self.error
        self.given += 1
        if self.forged is not None:
            self.forgeries += 1
            return self.forged
        return self.issuer.signed(self.issuer.claims(self.client, self.life_s) | {"aud": audience})


def real_issuer(folder: Path, url: str) -> Issuer:
    """Return the issuer whose keys are in this folder, as one that signs whatever a test asks it to."""
    clock = SystemClock()
    keys = {key.x5t: key.private for key in Keyring(folder, REALM, clock).keys().published}
    return Issuer(clock, keys, f"{url}{JWKS_PATH}")


@contextmanager
def serving_issuer() -> Iterator[Issuer]:
    """Serve a new issuer's JWKS on loopback while the block runs."""
    issuer = Issuer()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base class chose this name
            body = issuer.jwks()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class chose this name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    issuer.jwks_url = f"http://127.0.0.1:{server.server_address[1]}/jwks"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _jwk(kid: str, key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    fixed = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid}
    return fixed | {"n": _number(numbers.n), "e": _number(numbers.e)}


def _number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()
